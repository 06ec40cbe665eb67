"""Closed months in the back office: looked at, exported, closed; never edited."""

import csv

import pytest
from django.contrib.auth.models import Permission

from apps.core import clock
from apps.credits.models import ClosedPeriod, ClosedWallet
from apps.credits.services.closing import close_month
from tests.credits.months import OCTOBER, SEPTEMBER, at, three_months
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db
LIST = "/admin/credits/closedperiod/"
CLOSE = f"{LIST}close/"


@pytest.fixture
def wallets():
    return three_months()


@pytest.fixture
def staff():
    return signed_in(make_person(is_staff=True, is_superuser=True))


@pytest.fixture
def september(wallets):
    with clock.moved_to(at(10, 2)):
        return close_month(month=SEPTEMBER)


class TestTheList:
    def test_shows_what_each_month_held(self, september, staff):
        text = staff.get(LIST).content.decode()

        assert "2026-09" in text
        assert "700" in text

    def test_asks_as_often_for_many_months_as_for_few(
        self, september, staff, django_assert_max_num_queries
    ):
        with clock.moved_to(at(11, 2)):
            close_month(month=OCTOBER)

        with django_assert_max_num_queries(9):  # five of them count what waits, for the menu
            staff.get(LIST)

    def test_shows_a_month_that_is_sealed_and_not_summed(self, wallets, staff):
        from apps.credits.services.closing import seal_month

        with clock.moved_to(at(10, 2)):
            period = seal_month(month=SEPTEMBER)

        assert staff.get(LIST).status_code == 200
        assert staff.get(f"{LIST}{period.pk}/change/").status_code == 200


class TestAMonth:
    def test_cannot_be_edited(self, september, staff):
        address = f"{LIST}{september.pk}/change/"

        assert "2026-09" in staff.get(address).content.decode()
        assert staff.post(address, {"closed_by": "me"}).status_code == 403
        assert staff.post(f"{LIST}{september.pk}/delete/", {"post": "yes"}).status_code == 403
        assert staff.get(f"{LIST}add/").status_code == 403

    @pytest.mark.parametrize("key", ["nothing", "01999999-0000-7000-8000-000000000000"])
    def test_that_does_not_exist_is_not_exported(self, september, staff, key):
        assert staff.get(f"{LIST}{key}/wallets-csv/").status_code == 404

    def test_is_exported_wallet_by_wallet(self, september, staff):
        answer = staff.get(f"{LIST}{september.pk}/wallets-csv/")

        rows = list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))
        lines = ClosedWallet.objects.filter(period=september)
        assert {row["wallet"] for row in rows} == {line.wallet.public_id for line in lines}
        for row in rows:
            moved = int(row["credits_in"]) - int(row["credits_out"])
            assert int(row["opening"]) + moved == int(row["closing"])
        assert {row["expired"] for row in rows} == {"-70", "-100"}


class TestClosing:
    def test_asks_first(self, wallets, staff):
        with clock.moved_to(at(10, 2)):
            text = staff.get(CLOSE).content.decode()

        assert "Close September 2026" in text
        assert not ClosedPeriod.objects.exists()

    def test_closes_the_month_that_is_due_in_the_name_of_who_did_it(self, wallets, staff):
        with clock.moved_to(at(10, 2)):
            answer = staff.post(CLOSE, {"month": "2026-09-01"}, follow=True)

        assert "2026-09 is closed." in answer.content.decode()
        period = ClosedPeriod.objects.get()
        assert period.closed_by.startswith("user:usr_")
        assert period.totals.wallets == 2

    def test_says_why_it_cannot(self, wallets, staff):
        with clock.moved_to(at(9, 25)):
            assert "can be closed an hour after it ends" in staff.get(CLOSE).content.decode()
            answer = staff.post(CLOSE, {"month": "2026-09-01"}, follow=True)

        assert "2026-09 can be closed from" in answer.content.decode()
        assert not ClosedPeriod.objects.exists()

    def test_closes_no_other_month_than_the_one_that_was_shown(self, wallets, staff):
        with clock.moved_to(at(11, 2)):
            close_month(month=SEPTEMBER)
            staff.post(CLOSE, {"month": "2026-09-01"})

        assert [period.month for period in ClosedPeriod.objects.all()] == [SEPTEMBER]

    @pytest.mark.parametrize("fields", [{}, {"month": "soon"}, {"month": "2026-09-01"}])
    def test_of_nothing_does_nothing(self, staff, fields):
        assert "no month to close" in staff.get(CLOSE).content.decode()

        assert staff.post(CLOSE, fields).status_code == 302
        assert not ClosedPeriod.objects.exists()

    def test_needs_a_permission_of_its_own(self, wallets):
        person = make_person(is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename="view_closedperiod"))

        with clock.moved_to(at(10, 2)):
            assert signed_in(person).post(CLOSE, {"month": "2026-09-01"}).status_code == 403
            person.user_permissions.add(Permission.objects.get(codename="add_closedperiod"))
            assert signed_in(person).post(CLOSE, {"month": "2026-09-01"}).status_code == 302

        assert ClosedPeriod.objects.exists()

"""What is owed: outstanding credits, deferred revenue, breakage; at any instant, to the unit."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from hypothesis import given
from hypothesis import strategies as st

from apps.core import clock
from apps.credits.models import CreditTransaction, Wallet
from apps.credits.selectors.liability import Breakage, Money, breakage, liability, minor_units
from apps.credits.services.charges import charge_amount
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.holds import hold_amount
from apps.credits.services.wallets import set_credit_line
from tests.credits.months import at, charge, grant, three_months
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db
PAGE = "/admin/credits/liabilityreport/"


@pytest.fixture
def wallets():
    return three_months()


@pytest.fixture
def staff():
    return signed_in(make_person(is_staff=True, is_superuser=True))


def balances() -> int:
    return sum(Wallet.objects.values_list("balance", flat=True))


class TestLiability:
    def test_is_the_sum_of_all_balances(self, wallets):
        with clock.moved_to(at(11, 2)):
            report = liability()

        assert report.credits == balances() > 0

    def test_is_what_the_transactions_say_as_well(self, wallets):
        now, then = liability(), liability(as_of=datetime(2100, 1, 1, tzinfo=UTC))

        assert then.outstanding == now.outstanding
        assert then.deferred_revenue == now.deferred_revenue

    def test_tells_months_of_expiry_and_those_that_never_do_apart(self, wallets):
        october = liability(as_of=at(10, 20))

        # 435 of the lot in euros, which was charged; 200 in dollars; a gift without an end.
        assert october.by_month == {date(2026, 10, 1): 435, date(2026, 12, 1): 200, None: 40}
        assert list(october.by_month)[-1] is None
        assert october.by_kind == {"promotional": 40, "purchase": 635}

    def test_knows_any_instant(self, wallets):
        for entry in CreditTransaction.objects.all():
            before = liability(as_of=entry.created_at)
            after = liability(as_of=entry.created_at + timedelta(microseconds=1))
            sums = {
                moment: sum(
                    CreditTransaction.objects.filter(created_at__lt=moment).values_list(
                        "amount", flat=True
                    )
                )
                for moment in (entry.created_at, entry.created_at + timedelta(microseconds=1))
            }
            assert [before.credits, after.credits] == list(sums.values())
            assert before.credits != after.credits or len(set(sums.values())) == 1

    def test_values_what_is_left_at_what_was_paid(self, wallets):
        october = liability(as_of=at(10, 20))

        assert october.deferred_revenue == (
            Money("eur", Decimal("828.675000")),
            Money("usd", Decimal("500.000000")),
        )
        assert [one.minor for one in october.deferred_revenue] == [829, 500]

    def test_rounds_the_total_and_not_each_lot(self):
        wallet, _ = three_months()
        with clock.moved_to(at(11, 2)):
            for number in range(3):
                grant(wallet, 1, f"half:{number}", unit_cost=Decimal("0.5"), currency="chf")

        (francs,) = [one for one in liability().deferred_revenue if one.currency == "chf"]

        assert (francs.exact, francs.minor) == (Decimal("1.5"), 2)

    def test_of_nothing_is_nothing(self):
        report = liability(breakage_since=at(1, 1))

        assert (report.credits, report.outstanding, report.breakage) == (0, (), ())

    def test_counts_what_is_past_its_date_until_it_is_written_off(self, wallets):
        with clock.moved_to(at(12, 25)):
            before = liability()
            sweep_expired_lots()
            after = liability()

        assert before.by_month[date(2026, 12, 1)] > 0
        assert date(2026, 12, 1) not in after.by_month
        assert after.credits == balances()

    def test_asks_as_often_for_many_lots_as_for_few(self, wallets, django_assert_num_queries):
        with django_assert_num_queries(3):
            liability(breakage_since=at(1, 1))

    def test_shows_what_open_holds_set_aside_beside_the_sums(self, wallets):
        with clock.moved_to(at(10, 20)):
            organization = wallets[0].organization
            wallet = Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)
            grant(wallet, 10, "paid", unit_cost=Decimal("1.5"), currency="chf")
            hold_amount(wallet=wallet, amount=4, reference="hold:1", source="test")

            report = liability()

        assert report.credits == balances()
        assert (report.held, report.held_revenue) == (4, (Money("chf", Decimal("6.0")),))
        assert Money("chf", Decimal("9.0")) in report.deferred_revenue


class TestDebts:
    def test_are_told_apart_from_what_never_expires(self, wallets):
        organization = wallets[0].organization
        wallet = Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)
        set_credit_line(wallet=wallet, limit=50, reason="Contract")
        never = liability().by_month.get(None, 0)

        charge_amount(wallet=wallet, amount=30, reference="job:1", source="test")

        report = liability()
        assert (report.debt, report.by_month.get(None, 0)) == (30, never)
        assert report.credits == balances()


class TestBreakage:
    def test_is_what_expired_in_each_month_with_its_value(self, wallets):
        found = breakage(since=at(1, 1))

        assert found == (
            Breakage(date(2026, 9, 1), 170, ()),
            Breakage(date(2026, 11, 1), 435, (Money("eur", Decimal("828.675000")),)),
        )

    def test_has_the_first_instant_and_not_the_last(self, wallets):
        expired = CreditTransaction.objects.filter(transaction_type="expired").latest("created_at")

        assert breakage(since=expired.created_at)
        assert not breakage(since=at(10, 1), until=expired.created_at)

    def test_is_not_what_was_spent(self, wallets):
        with clock.moved_to(at(11, 5)):
            charge(wallets[0], "spent")

        assert sum(month.credits for month in breakage(since=at(1, 1))) == 605


class TestMinorUnits:
    @pytest.mark.parametrize(
        ("exact", "rounded"),
        [("0.5", 0), ("1.5", 2), ("2.5", 2), ("2.500001", 3), ("-0.5", 0), ("-1.5", -2), ("7", 7)],
    )
    def test_rounds_half_to_even(self, exact, rounded):
        assert minor_units(Decimal(exact)) == rounded

    @given(st.decimals(min_value=0, max_value=10**18, places=6, allow_nan=False))
    def test_is_never_further_off_than_half_a_unit(self, exact):
        assert abs(minor_units(exact) - exact) <= Decimal("0.5")


class TestTheAdminPage:
    def test_shows_the_report(self, wallets, staff):
        text = staff.get(PAGE).content.decode()

        assert f"{balances()} credits" in text
        assert "$5.00" in text
        assert "Never" in text

    def test_shows_another_day(self, wallets, staff):
        answer = staff.get(f"{PAGE}?as_of=2026-10-20")

        assert answer.context["report"].credits == 675
        assert answer.context["report"].as_of == at(10, 21, 0)

    def test_says_so_where_a_day_is_none(self, wallets, staff):
        answer = staff.get(f"{PAGE}?as_of=yesterday")

        assert answer.status_code == 200
        assert answer.context["form"].errors

    def test_gives_it_as_csv_that_adds_up(self, wallets, staff):
        answer = staff.get(f"{PAGE}?as_of=2026-10-20&format=csv")

        rows = list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))
        outstanding = [int(row["credits"]) for row in rows if row["section"] == "outstanding"]
        assert sum(outstanding) == 675
        deferred = [row for row in rows if row["section"] == "deferred_revenue"]
        (euros,) = [row for row in deferred if row["currency"] == "eur"]
        assert (euros["minor_units_exact"], euros["minor_units"]) == ("828.675000", "829")

    def test_is_shown_only_to_who_may_see_it(self, wallets):
        person = make_person(is_staff=True)
        assert signed_in(person).get(PAGE).status_code == 403

        person.user_permissions.add(Permission.objects.get(codename="view_liabilityreport"))

        assert signed_in(person).get(PAGE).status_code == 200

    def test_is_not_shown_to_customers(self, wallets):
        assert signed_in(make_person()).get(PAGE).status_code == 302

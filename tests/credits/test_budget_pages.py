"""The customer's pages of budgets."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import context
from apps.core.clock import moved_to
from apps.credits import selectors
from apps.credits.models import Budget, BudgetAlert
from apps.credits.pages import budgets as pages
from apps.credits.services.budgets import change_budget, create_budget
from apps.credits.services.charges import charge_amount
from apps.tenants.models import AuditLog
from tests.people import make_member, make_organization, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def wallet(organization):
    return selectors.main_wallet(organization)


@pytest.fixture
def client(organization):
    return signed_in(make_member(organization, "owner"))


def address(organization, *rest):
    return f"/o/{organization.slug}/budgets/{''.join(f'{one}/' for one in rest)}"


def charge(wallet, amount, reference="a", by=None):
    with context.acting(actor=f"user:{by.public_id}" if by else "system:test"):
        charge_amount(wallet=wallet, amount=amount, reference=reference, source="test")


def text(answer):
    return " ".join(answer.content.decode().split())


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


TERMS = {"member": "", "monthly_limit": "100", "action": "stop", "thresholds": "50, 80 %, 100"}


class TestTheList:
    def test_is_empty_at_first_and_says_what_a_budget_is_for(self, client, organization):
        page = text(client.get(address(organization)))

        assert "No budgets yet" in page
        assert "budget_exceeded" in page

    def test_shows_each_with_its_bar_and_status_in_words(self, client, organization, wallet):
        anna = make_member(organization, "member", full_name="Anna")
        charge(wallet, 40, by=anna)
        create_budget(wallet=wallet, monthly_limit=80)
        create_budget(wallet=wallet, monthly_limit=40, member=anna)
        page = text(client.get(address(organization)))

        assert 'aria-label="40 of 80 credits used"' in page
        assert 'width="50%"' in page
        for words in ("Everybody", "Anna", "40 of 80, 50 %", "50 % reached", "Stopped"):
            assert words in page

    def test_is_linked_from_the_menu(self, client, organization):
        page = text(client.get(f"/o/{organization.slug}/"))

        assert f'href="{address(organization)}"' in page

    def test_turns_pages_and_filters(self, client, organization, wallet, monkeypatch):
        monkeypatch.setattr(pages, "PAGE_SIZE", 2)
        people = [make_member(organization, "member") for _ in range(3)]
        made = [create_budget(wallet=wallet, monthly_limit=1, member=one) for one in people]
        off = create_budget(wallet=wallet, monthly_limit=1)
        change_budget(budget=off, is_active=False)

        def shown(url):
            answer = client.get(url)
            return [one["id"] for one in answer.context["budgets"]], answer.context["next_url"]

        first, following = shown(address(organization))
        second, end = shown(following)
        assert first + second == [one.public_id for one in reversed(made)]
        assert end is None
        assert shown(address(organization) + "?status=off")[0] == [off.public_id]
        assert len(shown(address(organization) + "?status=all")[0]) == 2
        assert len(shown(address(organization) + "?status=wrong&after=bud_wrong")[0]) == 2

    def test_costs_as_much_for_many(self, client, organization, wallet):
        def cost():
            with CaptureQueriesContext(connection) as seen:
                client.get(address(organization))
            return len(seen)

        people = [make_member(organization, "member") for _ in range(6)]
        create_budget(wallet=wallet, monthly_limit=1, member=people[0])
        cost()  # the session notes the visit
        before = cost()
        for one in people[1:]:
            create_budget(wallet=wallet, monthly_limit=1, member=one)
        assert cost() == before

    def test_is_a_file_as_well(self, client, organization, wallet):
        anna = make_member(organization, "member", email="anna@example.com")
        create_budget(wallet=wallet, monthly_limit=40, member=anna)
        budget = create_budget(wallet=wallet, monthly_limit=80, action="notify")
        charge(wallet, 20)

        first, second = rows_of(client.get(address(organization) + "?format=csv"))

        assert (first["id"], first["member"], first["used"], first["monthly_limit"]) == (
            budget.public_id,
            "",
            "20",
            "80",
        )
        assert (first["share_percent"], first["action"], first["thresholds"]) == (
            "25",
            "notify",
            "50 80 100",
        )
        assert (second["member"], second["used"]) == ("anna@example.com", "0")


class TestMake:
    def test_makes_one_and_shows_it(self, client, organization):
        answer = client.post(address(organization), TERMS, follow=True)

        budget = Budget.objects.get()
        assert (budget.monthly_limit, budget.action, budget.member) == (100, "stop", None)
        assert budget.thresholds == [50, 80, 100]
        assert "The budget counts from now on" in text(answer)
        entry = AuditLog.objects.get(action="budget.create")
        assert entry.object_id == budget.public_id

    def test_makes_one_for_a_member(self, client, organization):
        anna = make_member(organization, "member")
        client.post(address(organization), {**TERMS, "member": anna.public_id})

        assert Budget.objects.get().member == anna

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("monthly_limit", "-1", "greater than or equal to 0"),
            ("monthly_limit", "", "required"),
            ("thresholds", "0", "whole percentages"),
            ("thresholds", "50, 101", "whole percentages"),
            ("thresholds", "half", "whole percentages"),
            ("thresholds", "²", "whole percentages"),
            ("thresholds", " ".join(map(str, range(1, 13))), "up to 10"),
            ("action", "hope", "valid choice"),
            ("member", "usr_wrong", "valid choice"),
        ],
    )
    def test_says_what_cannot_be(self, client, organization, field, value, said):
        page = text(client.post(address(organization), {**TERMS, field: value}))

        assert said in page
        assert Budget.objects.count() == 0

    def test_says_that_there_is_one(self, client, organization, wallet):
        create_budget(wallet=wallet, monthly_limit=1)

        assert "has an active budget" in text(client.post(address(organization), TERMS))

    def test_is_not_for_a_member_of_another_organization(self, client, organization):
        stranger = make_member(make_organization(), "member")
        client.post(address(organization), {**TERMS, "member": stranger.public_id})

        assert Budget.objects.count() == 0


class TestOne:
    @pytest.fixture
    def budget(self, wallet):
        return create_budget(wallet=wallet, monthly_limit=100)

    def test_shows_month_history_and_terms(self, client, organization, wallet):
        with moved_to(datetime(2027, 3, 5, tzinfo=UTC)):
            budget = create_budget(wallet=wallet, monthly_limit=100)
        with moved_to(datetime(2027, 4, 5, tzinfo=UTC)):
            change_budget(budget=budget, monthly_limit=250)
            budget.months.create(
                organization=organization, month="2027-04-01", used=50, monthly_limit=250
            )
            page = text(client.get(address(organization, budget.public_id)))

        assert "50 <span" in page
        assert "of 250 credits" in page
        assert "April 2027" in page
        assert "March 2027" in page
        assert "20 % used, 200 left" in page
        assert "Nobody was told anything yet" in page

    def test_exports_its_months(self, client, organization, wallet, budget):
        charge(wallet, 20)
        (row,) = rows_of(client.get(address(organization, budget.public_id) + "?format=csv"))

        assert (row["used"], row["monthly_limit"], row["share_percent"]) == ("20", "100", "20")

    def test_is_changed(self, client, organization, budget):
        terms = {"monthly_limit": "7", "action": "notify", "thresholds": ""}
        client.post(address(organization, budget.public_id), terms)

        budget.refresh_from_db()
        assert (budget.monthly_limit, budget.action, budget.thresholds) == (7, "notify", [])
        assert "No mails were asked for" in text(
            client.get(address(organization, budget.public_id))
        )

    def test_says_what_cannot_be(self, client, organization, budget):
        terms = {"monthly_limit": "x", "action": "stop", "thresholds": "50"}

        assert "whole number" in text(client.post(address(organization, budget.public_id), terms))

    def test_is_switched_off_and_on(self, client, organization, budget):
        switch = address(organization, budget.public_id, "switch")
        answer = client.post(switch, {"on": "0"}, follow=True)
        assert "Switched on, it counts" in text(answer)
        budget.refresh_from_db()
        assert not budget.is_active

        client.post(switch, {"on": "1"})
        budget.refresh_from_db()
        assert budget.is_active

    def test_is_not_switched_on_beside_another(self, client, organization, wallet, budget):
        change_budget(budget=budget, is_active=False)
        create_budget(wallet=wallet, monthly_limit=1)
        answer = client.post(
            address(organization, budget.public_id, "switch"), {"on": "1"}, follow=True
        )

        assert "has an active budget" in text(answer)

    def test_sends_a_test_mail_and_not_two_at_once(self, client, organization, budget):
        test = address(organization, budget.public_id, "test")
        first = text(client.post(test, follow=True))
        second = text(client.post(test, follow=True))

        assert "A test mail is on its way" in first
        assert "within the last minute" in second
        assert BudgetAlert.objects.count() == 1

    def test_of_another_organization_does_not_exist(self, client, organization):
        other = create_budget(
            wallet=selectors.main_wallet(make_organization()), monthly_limit=1
        ).public_id

        assert client.get(address(organization, other)).status_code == 404
        for part in ("switch", "test"):
            assert client.post(address(organization, other, part)).status_code == 404
        assert client.post(address(organization, other), TERMS).status_code == 404


class TestWhoMay:
    def test_see_all_and_change_nothing(self, organization, wallet):
        budget = create_budget(wallet=wallet, monthly_limit=1)
        client = signed_in(make_member(organization, "developer"))

        for url in (address(organization), address(organization, budget.public_id)):
            answer = client.get(url)
            assert answer.status_code == 200
            assert answer.context["form"] is None
            assert "test mail" not in text(answer)
            assert client.post(url, TERMS).status_code == 403
        for part in ("switch", "test"):
            url = address(organization, budget.public_id, part)
            assert client.post(url, {"on": "0"}).status_code == 403
        budget.refresh_from_db()
        assert budget.is_active

    def test_see_what_is_theirs(self, organization, wallet):
        anna = make_member(organization, "member")
        everybodys = create_budget(wallet=wallet, monthly_limit=1)
        annas = create_budget(wallet=wallet, monthly_limit=77, member=anna)
        client = signed_in(anna)

        answer = client.get(address(organization))

        assert [one["id"] for one in answer.context["budgets"]] == [annas.public_id]
        assert client.get(address(organization, annas.public_id)).status_code == 200
        assert client.get(address(organization, everybodys.public_id)).status_code == 404
        export = client.get(address(organization) + "?format=csv")
        assert [row["id"] for row in rows_of(export)] == [annas.public_id]

    def test_are_told_if_they_have_none(self, organization, wallet):
        create_budget(wallet=wallet, monthly_limit=1)
        client = signed_in(make_member(organization, "member"))

        assert "You have no budget" in text(client.get(address(organization)))

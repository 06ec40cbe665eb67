"""Budgets: what a month may use, and which month something counts in."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from psycopg import Cursor

from apps.core.clock import moved_to
from apps.core.invariants import verify
from apps.credits.errors import (
    BudgetExceeded,
    BudgetExists,
    InsufficientCredits,
    InvalidTerms,
)
from apps.credits.ledger import budgets as counting
from apps.credits.ledger.posting import DRY_RUN
from apps.credits.models import Budget, BudgetMonth, CreditTransaction, Hold, Lot, Wallet
from apps.credits.services import holds
from apps.credits.services.budgets import change_budget, create_budget
from apps.credits.services.charges import charge_amount, refund_charge
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.grants import grant_credits
from apps.credits.services.quotes import Item, quote_charges
from apps.credits.services.wallets import set_credit_line
from apps.tenants.models import AuditLog
from apps.tenants.services.organizations import update_organization
from tests.credits.wallets import make_wallet
from tests.people import make_member, make_organization

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)
DST_BEGINS = datetime(2027, 3, 1, tzinfo=UTC) - timedelta(hours=1)  # March in Berlin, still +1
AFTER_DST = datetime(2027, 3, 31, 22, tzinfo=UTC)  # April in Berlin, by then +2


@pytest.fixture
def wallet():
    return make_wallet(credits=1000)


def charge(wallet, amount, reference, **more):
    return charge_amount(wallet=wallet, amount=amount, reference=reference, source="test", **more)


def refund(wallet, of, amount=None):
    return refund_charge(
        wallet=wallet, charge_reference=of, reference=f"back:{of}", source="test", amount=amount
    )


def hold(wallet, amount, reference, **more):
    holds.hold_amount(wallet=wallet, amount=amount, reference=reference, source="test", **more)
    return Hold.objects.get(wallet=wallet, reference=reference)


def months(wallet):
    found = BudgetMonth.objects.filter(budget__wallet=wallet).order_by("month")
    assert [finding for finding in verify() if finding.failures] == []
    return [one.used for one in found]


class TestCharge:
    def test_up_to_the_limit_is_made_and_one_credit_more_is_refused(self, wallet):
        create_budget(wallet=wallet, monthly_limit=100)
        charge(wallet, 60, "a")

        with pytest.raises(BudgetExceeded) as refusal:
            charge(wallet, 41, "b")
        charge(wallet, 40, "c")

        said = refusal.value
        assert (said.status, said.code) == (402, "budget_exceeded")
        assert "41 credits; 60 of this month's budget of 100" in str(said)
        assert not CreditTransaction.objects.filter(reference="b").exists()
        assert months(wallet) == [100]

    def test_is_answered_again_when_the_budget_is_used_up(self, wallet):
        create_budget(wallet=wallet, monthly_limit=60)
        charge(wallet, 60, "a")

        assert charge(wallet, 60, "a").is_replayed
        assert months(wallet) == [60]

    def test_is_refused_in_a_dry_run_and_a_dry_run_counts_nothing(self, wallet):
        create_budget(wallet=wallet, monthly_limit=60)

        with pytest.raises(BudgetExceeded):
            charge(wallet, 61, "a", mode=DRY_RUN)
        charge(wallet, 60, "a", mode=DRY_RUN)

        assert months(wallet) == [0]

    def test_of_another_wallet_is_not_counted(self, wallet):
        create_budget(wallet=wallet, monthly_limit=0)
        other = make_wallet(credits=10)

        charge(other, 10, "a")

        assert months(wallet) == [0]
        with pytest.raises(BudgetExceeded):
            charge(wallet, 1, "a")


class TestQuote:
    def test_says_what_the_budget_would_refuse_line_by_line(self, wallet):
        create_budget(wallet=wallet, monthly_limit=100)
        charge(wallet, 40, "a")

        said = quote_charges(wallet=wallet, items=[Item(amount=n) for n in (50, 11, 10, 2000)])

        reasons = [line.reason for line in said.lines]
        assert reasons == [None, "budget_exceeded", None, "insufficient_credits"]
        assert months(wallet) == [40]


class TestHold:
    def test_counts_when_it_is_placed_and_gives_back_what_it_did_not_use(self, wallet):
        create_budget(wallet=wallet, monthly_limit=100)
        kept, dropped = hold(wallet, 70, "a"), hold(wallet, 30, "b")
        with pytest.raises(BudgetExceeded):
            hold(wallet, 1, "c")

        holds.capture_hold(hold=kept, amount=50, source="test")
        holds.release_hold(hold=dropped, source="test")

        assert months(wallet) == [50]

    def test_captured_above_the_limit_is_refused_and_stays_open(self, wallet):
        create_budget(wallet=wallet, monthly_limit=100)
        placed = hold(wallet, 90, "a", policy=Hold.Policy.OVERFLOW)

        with pytest.raises(BudgetExceeded):
            holds.capture_hold(hold=placed, amount=101, source="test")

        assert months(wallet) == [90]
        holds.capture_hold(hold=placed, amount=100, source="test")
        assert months(wallet) == [100]

    def test_too_old_makes_room_for_the_charge_that_finds_it(self, wallet):
        create_budget(wallet=wallet, monthly_limit=100)
        with moved_to(datetime(2027, 3, 5, tzinfo=UTC)):
            hold(wallet, 100, "a", ttl=timedelta(minutes=1))
        with moved_to(datetime(2027, 3, 5, 1, tzinfo=UTC)):
            charge(wallet, 100, "b")

        assert months(wallet)[-1] == 100

    def test_too_old_makes_no_room_in_the_month_after_its_own(self, wallet):
        create_budget(wallet=wallet, monthly_limit=100)
        with moved_to(datetime(2027, 3, 31, tzinfo=UTC)):
            hold(wallet, 100, "a", ttl=timedelta(minutes=1))
        with moved_to(datetime(2027, 4, 1, tzinfo=UTC)):
            with pytest.raises(BudgetExceeded):
                charge(wallet, 101, "b")
            charge(wallet, 100, "b")

        assert months(wallet)[-2:] == [0, 100]


class TestMonth:
    @pytest.mark.parametrize("begins", [DST_BEGINS, AFTER_DST])
    def test_begins_at_midnight_where_the_organization_is(self, wallet, begins):
        update_organization(organization=wallet.organization, time_zone="Europe/Berlin")
        create_budget(wallet=Wallet.objects.get(pk=wallet.pk), monthly_limit=10)

        with moved_to(begins - MICROSECOND):
            charge(wallet, 10, "before")
            with pytest.raises(BudgetExceeded) as refusal:
                charge(wallet, 1, "over")
        with moved_to(begins):
            charge(wallet, 9, "at")
        with moved_to(begins + MICROSECOND):
            charge(wallet, 1, "after")
            with pytest.raises(BudgetExceeded):
                charge(wallet, 1, "over")

        assert datetime.fromisoformat(refusal.value.details["until"]) == begins
        assert months(wallet)[-2:] == [10, 10]

    def test_gets_back_what_is_refunded_in_a_later_one(self, wallet):
        create_budget(wallet=wallet, monthly_limit=10)
        with moved_to(datetime(2027, 3, 5, tzinfo=UTC)):
            charge(wallet, 10, "a")
        with moved_to(datetime(2027, 4, 5, tzinfo=UTC)):
            charge(wallet, 10, "b")
            refund(wallet, "a", 4)
            with pytest.raises(BudgetExceeded):
                charge(wallet, 1, "c")
            refund(wallet, "b")
            charge(wallet, 10, "d")

        assert months(wallet)[-2:] == [6, 10]

    def test_counts_what_was_used_before_there_was_a_budget(self, wallet):
        charge(wallet, 30, "a")
        refund(wallet, "a", 10)
        create_budget(wallet=wallet, monthly_limit=100)

        assert months(wallet) == [20]

    def test_gets_back_nothing_of_a_time_that_it_did_not_count(self, wallet):
        charge(wallet, 30, "a")
        with moved_to(datetime(2027, 4, 5, tzinfo=UTC)):
            create_budget(wallet=wallet, monthly_limit=100)
            refund(wallet, "a")

        assert months(wallet) == [0]

    def test_gets_back_a_hold_that_a_worker_lets_expire(self, wallet):
        create_budget(wallet=wallet, monthly_limit=100)
        hold(wallet, 100, "a", ttl=timedelta(minutes=1))
        with moved_to(datetime(2027, 4, 5, tzinfo=UTC)):
            sweep_expired_lots()

        assert months(wallet)[0] == 0


class TestPaused:
    def test_refuses_nothing_and_counts_again_when_it_is_resumed(self, wallet):
        budget = create_budget(wallet=wallet, monthly_limit=10)
        charge(wallet, 10, "a")
        change_budget(budget=budget, is_active=False)
        charge(wallet, 25, "b")

        change_budget(budget=budget, is_active=True)

        assert months(wallet) == [35]
        with pytest.raises(BudgetExceeded):
            charge(wallet, 1, "c")
        change_budget(budget=budget, monthly_limit=36)
        charge(wallet, 1, "c")

    def test_is_known_to_the_wallet_which_then_looks_for_none(self, wallet):
        budget = create_budget(wallet=wallet, monthly_limit=10)
        member = make_member(wallet.organization, "member")
        other = create_budget(wallet=wallet, monthly_limit=10, member=member)
        said = []
        for one, is_active in ((budget, False), (other, False), (other, True)):
            change_budget(budget=one, is_active=is_active)
            said.append(Wallet.objects.get(pk=wallet.pk).has_budget)

        assert said == [True, False, True]
        assert months(wallet) == [0, 0]

    def test_may_be_followed_by_another_and_then_not_be_resumed(self, wallet):
        budget = create_budget(wallet=wallet, monthly_limit=10)
        with pytest.raises(BudgetExists), transaction.atomic():
            create_budget(wallet=wallet, monthly_limit=20)
        change_budget(budget=budget, is_active=False)
        create_budget(wallet=wallet, monthly_limit=20)

        with pytest.raises(BudgetExists):
            change_budget(budget=budget, is_active=True)


class TestTerms:
    @pytest.mark.parametrize("limit", [-1, 10**15 + 1, True])
    def test_are_refused_if_the_limit_cannot_be(self, wallet, limit):
        with pytest.raises(InvalidTerms):
            create_budget(wallet=wallet, monthly_limit=limit)

    @pytest.mark.parametrize("thresholds", [[0], [101], [-1, 50], list(range(1, 12))])
    def test_are_refused_if_a_threshold_cannot_be(self, wallet, thresholds):
        with pytest.raises(InvalidTerms):
            create_budget(wallet=wallet, monthly_limit=1, thresholds=thresholds)

    def test_are_refused_if_the_action_is_unknown(self, wallet):
        with pytest.raises(InvalidTerms):
            create_budget(wallet=wallet, monthly_limit=1, action="hope")

    def test_keep_each_threshold_once_from_the_lowest_on(self, wallet):
        budget = create_budget(wallet=wallet, monthly_limit=1, thresholds=[90, 25, 90])

        assert budget.thresholds == [25, 90]

    def test_are_in_the_audit_log_and_only_when_they_change(self, wallet):
        budget = create_budget(wallet=wallet, monthly_limit=10)
        change_budget(budget=budget, monthly_limit=20)
        change_budget(budget=budget, monthly_limit=20)

        said = AuditLog.objects.filter(object_id=budget.public_id)
        assert sorted(said.values_list("action", flat=True)) == ["budget.create", "budget.update"]


class TestNotify:
    def test_counts_and_refuses_nothing(self, wallet):
        create_budget(wallet=wallet, monthly_limit=10, action="notify")
        charge(wallet, 11, "a")

        assert months(wallet) == [11]
        assert quote_charges(wallet=wallet, items=[Item(amount=5)]).is_allowed

    def test_stops_once_it_is_told_to(self, wallet):
        budget = create_budget(wallet=wallet, monthly_limit=10, action="notify")
        charge(wallet, 11, "a")
        change_budget(budget=budget, action="stop")

        with pytest.raises(BudgetExceeded):
            charge(wallet, 1, "b")


class TestOverage:
    def test_of_nothing_does_not_stop_what_is_prepaid(self, wallet):
        create_budget(wallet=wallet, monthly_limit=2000)
        assert wallet.credit_line == 0

        charge(wallet, 1000, "all that was bought")

        with pytest.raises(InsufficientCredits):
            charge(wallet, 1, "more")
        assert months(wallet) == [1000]

    def test_is_limited_by_the_budget_and_by_the_credit_line_each_for_itself(self, wallet):
        set_credit_line(wallet=wallet, limit=50, reason="Contract")
        budget = create_budget(wallet=wallet, monthly_limit=1020)
        charge(wallet, 1010, "ten of them owed")

        with pytest.raises(BudgetExceeded):
            charge(wallet, 11, "beyond the budget")
        change_budget(budget=budget, monthly_limit=5000)
        with pytest.raises(InsufficientCredits):
            charge(wallet, 41, "beyond the credit line")
        charge(wallet, 40, "to the credit line")

        assert months(wallet) == [1050]


class TestLimitOfAMonth:
    def test_stays_when_the_month_is_over(self, wallet):
        with moved_to(datetime(2027, 3, 5, tzinfo=UTC)):
            budget = create_budget(wallet=wallet, monthly_limit=10)
        with moved_to(datetime(2027, 4, 5, tzinfo=UTC)):
            charge(wallet, 1, "a")
            change_budget(budget=budget, monthly_limit=20)

        found = BudgetMonth.objects.filter(budget=budget).order_by("month")
        assert [one.monthly_limit for one in found] == [10, 20]


class TestTimeZone:
    def test_of_the_organization_moves_its_months_and_counts_them_again(self, wallet):
        with moved_to(datetime(2027, 3, 31, 22, 30, tzinfo=UTC)):
            create_budget(wallet=wallet, monthly_limit=10)
            charge(wallet, 10, "March in London, April in Berlin")
            update_organization(organization=wallet.organization, time_zone="Europe/Berlin")

            assert months(wallet) == [0, 10]
            with pytest.raises(BudgetExceeded):
                charge(wallet, 1, "b")

    def test_is_followed_when_a_budget_is_switched_on_again(self, wallet):
        with moved_to(datetime(2027, 3, 31, 22, 30, tzinfo=UTC)):
            budget = create_budget(wallet=wallet, monthly_limit=10)
            change_budget(budget=budget, is_active=False)
            update_organization(organization=wallet.organization, time_zone="Europe/Berlin")
            charge(wallet, 3, "a")
            change_budget(budget=budget, is_active=True)

        assert months(wallet) == [0, 3]

    def test_that_stays_leaves_the_budgets_alone(self, wallet, monkeypatch):
        create_budget(wallet=wallet, monthly_limit=10)
        monkeypatch.setattr("apps.credits.services.budgets._count", None)

        update_organization(organization=wallet.organization, name="Another")


class TestCost:
    @pytest.fixture
    def sent(self, monkeypatch):
        """Collect the statements that the ledger sends, one trip or not."""
        statements = []
        execute = Cursor.execute

        def note(cursor, sql, *rest, **more):
            statements.append(str(sql))
            return execute(cursor, sql, *rest, **more)

        monkeypatch.setattr(Cursor, "execute", note)
        return statements

    def test_is_not_one_statement_where_there_is_no_budget(self, wallet, sent):
        charge(wallet, 1, "a")

        assert sent
        assert not [sql for sql in sent if re.search("credits_budget|member_of", sql)]

    def test_is_three_statements_and_one_trip_where_there_is_one(self, wallet, sent, monkeypatch):
        trips = []
        real = counting.one_trip
        monkeypatch.setattr(counting, "one_trip", lambda: trips.append(1) or real())
        create_budget(wallet=wallet, monthly_limit=10)
        sent.clear()

        charge(wallet, 1, "a")

        assert len([sql for sql in sent if "credits_budget" in sql]) == 3
        assert len(trips) == 1

    def test_does_not_grow_with_the_budgets_of_others(self, wallet, sent):
        def cost(reference):
            sent.clear()
            charge(wallet, 1, reference)
            return len(sent)

        create_budget(wallet=wallet, monthly_limit=10)
        before = cost("a")
        for _ in range(5):
            member = make_member(wallet.organization, "member")
            create_budget(wallet=wallet, monthly_limit=10, member=member)

        assert cost("b") == before

    def test_of_a_grant_is_nothing(self, wallet, sent):
        create_budget(wallet=wallet, monthly_limit=10)
        sent.clear()

        grant_credits(
            wallet=wallet, amount=5, kind=Lot.Kind.PURCHASE, reference="more", source="test"
        )

        assert not [sql for sql in sent if "credits_budget" in sql]


class TestInvariant:
    @pytest.mark.parametrize(
        ("code", "damage"),
        [
            ("L30", lambda: BudgetMonth.objects.update(used=1)),
            ("L31", lambda: Budget.objects.update(time_zone="Asia/Tokyo")),
            ("L32", lambda: Wallet.objects.update(has_budget=False)),
        ],
    )
    def test_finds_what_is_wrong(self, wallet, code, damage):
        create_budget(wallet=wallet, monthly_limit=10)
        damage()

        assert {one.invariant.code for one in verify() if one.failures} == {code}

    def test_finds_the_month_of_another_organization(self, wallet):
        create_budget(wallet=wallet, monthly_limit=10)
        BudgetMonth.objects.update(organization=make_organization())

        assert {one.invariant.code for one in verify() if one.failures} == {"L31", "W01"}

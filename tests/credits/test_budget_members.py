"""Budgets of members: whose use is counted, and for whom there is room."""

from datetime import timedelta

import pytest

from apps.core import context
from apps.core.clock import database_now, moved_to
from apps.core.invariants import verify
from apps.credits.errors import BudgetExceeded, BudgetExists, InvalidTerms
from apps.credits.models import Budget, BudgetMonth, Hold
from apps.credits.services import holds
from apps.credits.services.budgets import change_budget, create_budget
from apps.credits.services.charges import charge_amount, refund_charge
from apps.credits.services.quotes import Item, quote_charges
from tests.credits.wallets import make_wallet
from tests.people import make_key, make_member, make_organization, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet():
    return make_wallet(credits=1000)


@pytest.fixture
def anna(wallet):
    return make_member(wallet.organization, "admin")


@pytest.fixture
def ben(wallet):
    return make_member(wallet.organization, "member")


def charge(wallet, amount, reference, *, by=None, actor=None):
    with context.acting(actor=actor or f"user:{by.public_id}"):
        return charge_amount(wallet=wallet, amount=amount, reference=reference, source="test")


def used(budget):
    assert [finding for finding in verify() if finding.failures] == []
    return BudgetMonth.objects.get(budget=budget).used


class TestMember:
    def test_is_stopped_alone(self, wallet, anna, ben):
        budget = create_budget(wallet=wallet, monthly_limit=10, member=anna)
        charge(wallet, 10, "a", by=anna)

        with pytest.raises(BudgetExceeded) as refusal:
            charge(wallet, 1, "b", by=anna)
        charge(wallet, 500, "c", by=ben)
        charge(wallet, 100, "d", actor="system:jobs")

        assert refusal.value.details["scope"] == "member"
        assert used(budget) == 10

    def test_is_stopped_by_the_budget_of_all_as_well(self, wallet, anna, ben):
        everybody = create_budget(wallet=wallet, monthly_limit=100)
        annas = create_budget(wallet=wallet, monthly_limit=80, member=anna)
        charge(wallet, 60, "a", by=ben)
        with pytest.raises(BudgetExceeded) as refusal:
            charge(wallet, 41, "b", by=anna)
        charge(wallet, 40, "c", by=anna)

        assert refusal.value.details["scope"] == "organization"
        assert (used(everybody), used(annas)) == (100, 40)

    def test_is_counted_with_the_keys_that_he_made(self, wallet, anna, ben):
        budget = create_budget(wallet=wallet, monthly_limit=10, member=anna)
        hers, _ = make_key(wallet.organization, anna, "credits:write")
        his, _ = make_key(wallet.organization, ben, "jobs:write")
        charge(wallet, 7, "a", actor=f"key:{hers.public_id}")
        charge(wallet, 50, "b", actor=f"key:{his.public_id}")

        with pytest.raises(BudgetExceeded):
            charge(wallet, 4, "c", by=anna)
        assert used(budget) == 7

    @pytest.mark.parametrize(
        "actor", ["user:", "user:usr_", "key:key_00000000000000000000000000", "user:usr_8ZZZ", ""]
    )
    def test_is_not_whoever_has_no_such_id(self, wallet, anna, actor):
        budget = create_budget(wallet=wallet, monthly_limit=10, member=anna)

        charge(wallet, 20, "a", actor=actor or "nobody")

        assert used(budget) == 0

    def test_gets_back_what_others_refund_and_not_what_he_refunds_to_others(
        self, wallet, anna, ben
    ):
        annas = create_budget(wallet=wallet, monthly_limit=10, member=anna)
        bens = create_budget(wallet=wallet, monthly_limit=10, member=ben)
        charge(wallet, 10, "a", by=anna)
        charge(wallet, 10, "b", by=ben)
        with context.acting(actor=f"user:{ben.public_id}"):
            refund_charge(wallet=wallet, charge_reference="a", reference="-a", source="test")

        assert (used(annas), used(bens)) == (0, 10)
        with pytest.raises(BudgetExceeded):
            charge(wallet, 1, "c", by=ben)

    def test_keeps_what_a_worker_captures_and_gets_back_the_rest(self, wallet, anna):
        budget = create_budget(wallet=wallet, monthly_limit=100, member=anna)
        with context.acting(actor=f"user:{anna.public_id}"):
            holds.hold_amount(wallet=wallet, amount=90, reference="h", source="test")
        held = Hold.objects.get(wallet=wallet, reference="h")
        with context.acting(actor="system:jobs"):
            holds.capture_hold(hold=held, amount=30, source="test")

        assert used(budget) == 30

    def test_finds_room_that_his_own_old_hold_leaves_and_no_other(self, wallet, anna, ben):

        for person in (anna, ben):
            create_budget(wallet=wallet, monthly_limit=100, member=person)
        start = database_now().replace(day=3, hour=0) + timedelta(days=40)
        with moved_to(start), context.acting(actor=f"user:{anna.public_id}"):
            holds.hold_amount(
                wallet=wallet, amount=100, reference="h", source="test", ttl=timedelta(minutes=1)
            )
        with moved_to(start + timedelta(hours=1)):
            with pytest.raises(BudgetExceeded):
                charge(wallet, 101, "b", by=ben)
            charge(wallet, 100, "a", by=anna)

    def test_sees_in_a_quote_what_is_left_for_him(self, wallet, anna, ben):
        create_budget(wallet=wallet, monthly_limit=100)
        create_budget(wallet=wallet, monthly_limit=10, member=anna)

        def reasons(person):
            with context.acting(actor=f"user:{person.public_id}"):
                said = quote_charges(wallet=wallet, items=[Item(amount=11), Item(amount=90)])
            return [line.reason for line in said.lines]

        assert reasons(anna) == ["budget_exceeded", "budget_exceeded"]
        assert reasons(ben) == [None, "budget_exceeded"]

    def test_counts_what_he_had_used_before(self, wallet, anna, ben):
        charge(wallet, 30, "a", by=anna)
        charge(wallet, 5, "b", by=ben)

        assert used(create_budget(wallet=wallet, monthly_limit=100, member=anna)) == 30

    def test_has_one_active_budget(self, wallet, anna, ben):
        budget = create_budget(wallet=wallet, monthly_limit=100, member=anna)
        create_budget(wallet=wallet, monthly_limit=100, member=ben)
        create_budget(wallet=wallet, monthly_limit=100)

        with pytest.raises(BudgetExists):
            create_budget(wallet=wallet, monthly_limit=50, member=anna)
        change_budget(budget=budget, is_active=False)
        create_budget(wallet=wallet, monthly_limit=50, member=anna)
        assert Budget.objects.filter(is_active=True).count() == 3

    def test_must_belong_to_the_organization(self, wallet):
        stranger = make_person()
        make_organization(owner=stranger)

        with pytest.raises(InvalidTerms) as refusal:
            create_budget(wallet=wallet, monthly_limit=1, member=stranger)
        assert refusal.value.details["field"] == "member"

"""Budgets under races: real connections, real commits."""

from collections import Counter

import pytest

from apps.core import context
from apps.credits.errors import BudgetExceeded
from apps.credits.models import Budget, BudgetMonth, Wallet
from apps.credits.services.budgets import change_budget, create_budget
from apps.credits.services.charges import charge_amount, refund_charge
from apps.credits.services.holds import hold_amount
from apps.credits.services.transfers import transfer_credits
from apps.tenants.services.organizations import update_organization
from tests.credits.wallets import make_wallet
from tests.invariants import broken
from tests.people import make_member, make_organization
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 16


def attempt(work, **terms):
    def run() -> str:
        try:
            work(source="race", **terms)
        except BudgetExceeded:
            return "refused"
        return "done"

    return run


def test_never_one_credit_above_the_limit():
    wallet = make_wallet(credits=1000)
    create_budget(wallet=wallet, monthly_limit=69)

    said = Counter(
        at_once(
            [
                attempt(
                    hold_amount if number % 2 else charge_amount,
                    wallet=wallet,
                    amount=10,
                    reference=f"race:{number}",
                )
                for number in range(RACERS)
            ]
        )
    )

    assert said == {"done": 6, "refused": RACERS - 6}
    assert BudgetMonth.objects.get().used == 60
    assert Wallet.objects.get(pk=wallet.pk).balance == 940
    assert broken() == []


def test_transfers_both_ways_and_charges_do_not_wait_for_each_other_forever():
    one, other = make_wallet(credits=1000), make_wallet(credits=1000)
    for wallet in (one, other):
        create_budget(wallet=wallet, monthly_limit=20)

    works = []
    for number in range(4):
        for source, target in ((one, other), (other, one)):
            terms = {"wallet": source, "amount": 10}
            works.append(attempt(charge_amount, reference=f"charge:{number}", **terms))
            works.append(
                attempt(
                    transfer_credits,
                    target=target,
                    reference=f"move:{number}:{source.pk}",
                    **terms,
                )
            )
    said = Counter(at_once(works))

    assert said == {"done": 8 + 4, "refused": 4}
    assert sorted(BudgetMonth.objects.values_list("used", flat=True)) == [20, 20]
    assert broken() == []


def test_a_budget_that_is_made_while_charges_run_counts_each_once():
    wallet = make_wallet(credits=1000)
    works = [
        attempt(charge_amount, wallet=wallet, amount=10, reference=f"race:{number}")
        for number in range(RACERS - 1)
    ]

    def budget() -> str:
        create_budget(wallet=wallet, monthly_limit=1000)
        return "budget"

    at_once([*works[:8], budget, *works[8:]])

    assert BudgetMonth.objects.get().used == 10 * (RACERS - 1)
    assert broken() == []


def test_two_charges_for_the_last_credits_of_a_budget_are_one():
    wallet = make_wallet(credits=1000)
    create_budget(wallet=wallet, monthly_limit=100)
    charge_amount(wallet=wallet, amount=90, reference="most", source="race")

    said = at_once(
        [
            attempt(charge_amount, wallet=wallet, amount=10, reference=f"last:{number}")
            for number in range(2)
        ]
    )

    assert sorted(said) == ["done", "refused"]
    assert BudgetMonth.objects.get().used == 100
    assert broken() == []


def test_members_and_everybody_are_each_kept_within_their_own_limit():
    wallet = make_wallet(credits=1000)
    people = [make_member(wallet.organization, "developer") for _ in range(4)]
    create_budget(wallet=wallet, monthly_limit=100)
    for person in people:
        create_budget(wallet=wallet, monthly_limit=30, member=person)

    def charge_as(person, number):
        def run():
            with context.acting(actor=f"user:{person.public_id}"):
                terms = {"wallet": wallet, "amount": 10}
                return attempt(charge_amount, reference=f"{person.pk}:{number}", **terms)()

        return run

    said = Counter(at_once([charge_as(one, number) for number in range(5) for one in people]))

    used = {one.budget.member_id: one.used for one in BudgetMonth.objects.select_related("budget")}
    assert said == {"done": 10, "refused": 10}
    assert used.pop(None) == sum(used.values()) == 100
    assert max(used.values()) <= 30
    assert broken() == []


def test_a_limit_that_is_lowered_while_charges_run_is_kept_from_then_on():
    wallet = make_wallet(credits=1000)
    budget = create_budget(wallet=wallet, monthly_limit=1000)
    seen = []

    def lower() -> str:
        change_budget(budget=budget, monthly_limit=30)
        seen.append(BudgetMonth.objects.get().used)
        return "lowered"

    works = [
        attempt(charge_amount, wallet=wallet, amount=10, reference=f"race:{number}")
        for number in range(RACERS - 1)
    ]
    said = Counter(at_once([*works[:4], lower, *works[4:]]))

    used = BudgetMonth.objects.get().used
    assert used == 10 * said["done"]
    assert used <= max(30, *seen)
    assert broken() == []


def test_refunds_and_charges_at_once_leave_the_counter_right():
    wallet = make_wallet(credits=1000)
    create_budget(wallet=wallet, monthly_limit=1000)
    for number in range(8):
        charge_amount(wallet=wallet, amount=10, reference=f"old:{number}", source="race")

    works = [
        attempt(
            refund_charge,
            wallet=wallet,
            charge_reference=f"old:{number}",
            reference=f"-old:{number}",
        )
        for number in range(8)
    ]
    works += [
        attempt(charge_amount, wallet=wallet, amount=7, reference=f"new:{number}")
        for number in range(8)
    ]
    assert Counter(at_once(works)) == {"done": 16}

    assert BudgetMonth.objects.get().used == 56
    assert broken() == []


def test_a_time_zone_that_changes_while_budgets_are_made_is_that_of_all():
    organization = make_organization()
    wallets = [
        Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER) for _ in range(6)
    ]

    def move() -> None:
        update_organization(organization=organization, time_zone="Asia/Tokyo")

    works = [
        lambda one=one: create_budget(wallet=one, monthly_limit=10) and None for one in wallets
    ]
    at_once([*works[:3], move, *works[3:]])

    assert set(Budget.objects.values_list("time_zone", flat=True)) == {"Asia/Tokyo"}
    assert broken() == []

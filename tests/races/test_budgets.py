"""Budgets under races: real connections, real commits."""

from collections import Counter

import pytest

from apps.core.invariants import verify
from apps.credits.errors import BudgetExceeded
from apps.credits.models import BudgetMonth, Wallet
from apps.credits.services.budgets import create_budget
from apps.credits.services.charges import charge_amount
from apps.credits.services.holds import hold_amount
from apps.credits.services.transfers import transfer_credits
from tests.credits.wallets import make_wallet
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


def is_right() -> bool:
    return [finding for finding in verify() if finding.failures] == []


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
    assert is_right()


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
    assert is_right()


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
    assert is_right()

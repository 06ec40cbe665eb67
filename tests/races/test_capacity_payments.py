"""A payment that comes while its hold ends; `make figures-8` runs 1,000 rounds of it."""

import random

import pytest

from figures.capacity_payments import ALLOCATED, GOES_BACK, RACERS, Payments, outcome_of
from tests.capacity.plants import begin_to_pay, hold, make_project
from tests.invariants import broken
from tests.people import make_organization
from tests.races.racing import team

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6


def test_what_is_paid_is_allocated_or_goes_back_and_never_both():
    payments = Payments(make_organization(), make_organization())
    rng = random.Random(1)
    with team(RACERS) as racing:
        for _ in range(ROUNDS):
            payments.run(racing, rng)

    assert payments.wrong == []
    assert payments.outcomes[ALLOCATED] + payments.outcomes[GOES_BACK] == ROUNDS
    assert broken() == []


def test_the_round_notices_what_is_neither():
    reservation = hold(make_organization(), make_project(5), 5)
    payment = begin_to_pay(reservation)
    assert outcome_of(reservation, payment).startswith("neither")

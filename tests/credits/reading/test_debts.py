"""What is owed is told apart from what is there, now and at any moment."""

import pytest

from apps.credits import selectors
from apps.credits.selectors import Status
from apps.credits.services.wallets import set_credit_line
from tests.credits.reading.history import DAY, NOON, at, charge, grant


@pytest.fixture
def owing(wallet):
    """20 credits, of which 50 were used; 10 of the 30 owed were repaid two days later."""
    with at(NOON):
        set_credit_line(wallet=wallet, limit=100, reason="A good customer")
        grant(wallet, "a", 20)
        charge(wallet, "job:1", 5)
    with at(NOON + 2 * DAY):
        grant(wallet, "b", 10)
    return wallet


class TestDebt:
    def test_is_told_now_and_then(self, owing):
        with at(NOON + 3 * DAY):
            now = selectors.balance_of(owing)

            assert (now.available, now.debt) == (0, 20)
            assert selectors.balance_at(owing, NOON + 3 * DAY) == now
            assert selectors.balance_at(owing, NOON + DAY).debt == 30

    def test_stands_among_the_lots_without_a_place(self, owing):
        with at(NOON + 3 * DAY):
            (owed,) = selectors.lots_with_credits(owing)

        assert (owed.status, owed.place, owed.remaining) == (Status.DEBT, None, -20)

    def test_does_not_count_in_the_explanation_and_adds_up(self, owing):
        with at(NOON + 3 * DAY):
            explained = selectors.explain_balance(owing)

        (owed,) = explained.beside
        assert (explained.amount, explained.adds_up) == (0, True)
        assert (owed.amount, owed.note, owed.adds_up) == (-20, "is owed", True)

    def test_was_used_on_the_day_of_the_charge(self, owing):
        day = NOON.date()

        explained = selectors.explain_usage(owing, day)

        assert (explained.amount, explained.adds_up) == (50, True)

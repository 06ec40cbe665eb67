"""The balance, now and at any other moment."""

import pytest

from apps.core.clock import database_now
from apps.credits import selectors
from apps.credits.models import Hold, Lot
from apps.credits.selectors import Balance
from apps.credits.services import holds
from tests.credits.reading.history import (
    DAY,
    HOUR,
    NOON,
    at,
    charge,
    grant,
    random_life,
    refund,
)
from tests.people import make_organization

MICROSECOND = HOUR / 3_600_000_000


class TestBalanceOf:
    def test_tells_what_expires_first(self, wallet):
        with at(NOON):
            grant(wallet, "a", 30, expires_at=NOON + 2 * DAY)
            grant(wallet, "b", 20, expires_at=NOON + 2 * DAY)
            grant(wallet, "c", 50)

            assert selectors.balance_of(wallet) == Balance(100, 0, 50, NOON + 2 * DAY, debt=0)

    def test_owes_nothing_without_debts(self, wallet):
        assert selectors.balance_of(wallet).debt == 0

    def test_asks_as_often_for_many_lots(self, wallet, django_assert_num_queries):
        for number in range(5):
            grant(wallet, f"grant:{number}")

        with django_assert_num_queries(2):
            selectors.balance_of(wallet)


class TestBalanceAt:
    @pytest.mark.parametrize("seed", range(6))
    def test_is_what_the_live_balance_was_then(self, wallet, seed):
        for moment, live, lots in random_life(wallet, seed=seed):
            with at(NOON + 400 * DAY):
                assert selectors.balance_at(wallet, moment) == live
                assert [
                    (one.lot.id, one.remaining)
                    for one in selectors.lots_at(wallet, moment)
                    if one.place
                ] == lots

    def test_is_the_live_balance_now(self, wallet):
        grant(wallet, "a", 30, expires_at=database_now() + DAY)
        charge(wallet, "job:1", 2)

        assert selectors.balance_at(wallet, database_now()) == selectors.balance_of(wallet)

    def test_is_nothing_before_the_first_movement(self, wallet):
        with at(NOON):
            grant(wallet, "a")

        assert selectors.balance_at(wallet, NOON - MICROSECOND) == Balance(0, 0)

    def test_counts_what_moved_at_that_very_moment(self, wallet):
        with at(NOON):
            grant(wallet, "a", 70)

        assert selectors.balance_at(wallet, NOON).available == 70

    def test_leaves_out_what_had_not_begun(self, wallet):
        with at(NOON):
            grant(wallet, "a", 70, effective_at=NOON + DAY)

        assert selectors.balance_at(wallet, NOON + DAY - MICROSECOND).available == 0
        assert selectors.balance_at(wallet, NOON + DAY).available == 70

    def test_leaves_out_what_was_past_its_date_before_anyone_wrote_it_off(self, wallet):
        with at(NOON):
            grant(wallet, "a", 70, expires_at=NOON + DAY)

        assert selectors.balance_at(wallet, NOON + DAY - MICROSECOND).available == 70
        assert selectors.balance_at(wallet, NOON + DAY).available == 0

    def test_still_has_what_was_written_off_since(self, wallet):
        with at(NOON):
            grant(wallet, "a", 70, expires_at=NOON + DAY)
        with at(NOON + 2 * DAY):
            grant(wallet, "b", 5)

        assert selectors.balance_at(wallet, NOON).available == 70

    def test_tells_of_a_moment_to_come_what_dates_will_change(self, wallet):
        with at(NOON):
            grant(wallet, "a", 70, expires_at=NOON + DAY)
            grant(wallet, "b", 5, effective_at=NOON + 3 * DAY)

            assert selectors.balance_at(wallet, NOON + 2 * DAY).available == 0
            assert selectors.balance_at(wallet, NOON + 3 * DAY).available == 5

    def test_knows_no_other_wallet(self, wallet):
        with at(NOON):
            grant(selectors.main_wallet(make_organization()), "a", 70)

        assert selectors.balance_at(wallet, NOON).available == 0

    def test_asks_as_often_for_many_lots(self, wallet, django_assert_num_queries):
        for number in range(5):
            grant(wallet, f"grant:{number}", kind=Lot.Kind.PROMOTIONAL)
        charge(wallet, "job:1", 3)
        refund(wallet, "job:1")

        moment = database_now()

        with django_assert_num_queries(4):
            selectors.balance_at(wallet, moment)


class TestHeldThen:
    def test_is_what_was_set_aside_at_each_moment(self, wallet):
        seen = []
        steps = [
            lambda: grant(wallet, "a", 500),
            lambda: hold(wallet, "first", 100),
            lambda: hold(wallet, "second", 40),
            lambda: capture(wallet, "first", 70),
            lambda: release(wallet, "second"),
            lambda: hold(wallet, "third", 25),
        ]
        for hour, step in enumerate(steps):
            moment = NOON + hour * HOUR / 12
            with at(moment):
                step()
                seen.append((moment, selectors.balance_of(wallet)))

        assert [live.held for _, live in seen] == [0, 100, 140, 40, 0, 25]
        for moment, live in seen:
            assert selectors.balance_at(wallet, moment) == live

    def test_of_an_expired_hold_ends_when_it_is_given_back(self, wallet):
        with at(NOON):
            grant(wallet, "a", 500)
            hold(wallet, "first", 100)
        with at(NOON + 2 * DAY):
            grant(wallet, "b", 1)

            assert selectors.balance_at(wallet, NOON + DAY).held == 100
            assert selectors.balance_at(wallet, NOON + 2 * DAY) == selectors.balance_of(wallet)

    def test_of_a_hold_captured_whole_is_told_as_spent(self, wallet):
        with at(NOON):
            grant(wallet, "a", 500)
            hold(wallet, "first", 100)
        with at(NOON + HOUR / 12):
            capture(wallet, "first", 100)

            assert selectors.balance_at(wallet, NOON) == Balance(400, 0)
            assert selectors.balance_of(wallet) == Balance(400, 0)

    def test_of_another_wallet_counts_not(self, wallet):
        with at(NOON):
            other = selectors.main_wallet(make_organization())
            grant(other, "a", 500)
            hold(other, "first", 100)

        assert selectors.balance_at(wallet, NOON).held == 0


def hold(wallet, reference, amount):
    holds.hold_amount(wallet=wallet, amount=amount, reference=reference, source="test")


def capture(wallet, reference, amount):
    found = Hold.objects.get(wallet=wallet, reference=reference)
    holds.capture_hold(hold=found, amount=amount, source="test")


def release(wallet, reference):
    holds.release_hold(hold=Hold.objects.get(wallet=wallet, reference=reference), source="test")

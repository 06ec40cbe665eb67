"""Holds: set aside, captured, released, too old."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.clock import moved_to
from apps.credits import selectors
from apps.credits.errors import (
    AlreadyRefunded,
    CaptureExceedsHold,
    ChargeNotFound,
    HoldNotFound,
    HoldSettled,
    InsufficientCredits,
    InvalidTerms,
    ReferenceReused,
    WalletFrozen,
)
from apps.credits.models import CreditTransaction, Hold, Lot
from apps.credits.services.charges import refund_charge
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.holds import (
    capture_hold,
    hold_amount,
    hold_for_event,
    release_hold,
    renew_hold,
)
from apps.credits.services.prices import set_price
from apps.credits.services.wallets import change_status

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def place(wallet, amount=60, reference="render:1", **terms) -> Hold:
    hold_amount(wallet=wallet, amount=amount, reference=reference, source="test", **terms)
    return Hold.objects.get(wallet=wallet, reference=reference)


def capture(hold, amount):
    return capture_hold(hold=hold, amount=amount, source="test")


def release(hold):
    return release_hold(hold=hold, source="test")


def standing(wallet) -> tuple[int, int]:
    """Return what is available, and what is held."""
    balance = selectors.balance_of(wallet)
    return balance.available, balance.held


class TestPlacing:
    def test_moves_credits_out_of_their_lots(self, wallet, grant):
        lot = grant()

        place(wallet)

        lot.refresh_from_db()
        assert lot.remaining == 40
        assert standing(wallet) == (40, 60)

    def test_is_done_once_for_a_reference(self, wallet, grant):
        grant()
        place(wallet)

        again = hold_amount(wallet=wallet, amount=60, reference="render:1", source="test")

        assert again.is_replayed
        assert standing(wallet) == (40, 60)

    def test_answers_the_same_after_the_hold_has_ended(self, wallet, grant):
        grant()
        release(place(wallet))

        again = hold_amount(wallet=wallet, amount=60, reference="render:1", source="test")

        assert (again.is_replayed, again.amount) == (True, -60)

    @pytest.mark.parametrize("change", [{"amount": 61}, {"policy": Hold.Policy.CAP}])
    def test_refuses_a_reference_that_means_something_else(self, wallet, grant, change):
        grant()
        place(wallet)

        with pytest.raises(ReferenceReused):
            place(wallet, **change)

    def test_refuses_what_is_not_there_even_with_a_credit_line(self, wallet, grant):
        grant(50)

        with pytest.raises(InsufficientCredits) as refusal:
            place(wallet)

        assert refusal.value.details["shortfall"] == 10

    @pytest.mark.parametrize("ttl", [timedelta(0), -MINUTE, DAY + timedelta(seconds=1)])
    def test_refuses_to_hold_for_no_time_or_more_than_a_day(self, wallet, grant, ttl):
        grant()

        with pytest.raises(InvalidTerms):
            place(wallet, ttl=ttl)

    def test_refuses_a_frozen_wallet(self, wallet, grant):
        grant()
        change_status(wallet=wallet, is_frozen=True, reason="Test")

        with pytest.raises(WalletFrozen):
            place(wallet)

    def test_keeps_the_price_of_its_time(self, wallet, grant):
        grant()
        hold_for_event(wallet=wallet, event="render", quantity=3, reference="r", source="test")
        set_price(name="render", credit_cost=20, category="compute")

        again = hold_for_event(
            wallet=wallet, event="render", quantity=3, reference="r", source="test"
        )

        hold = Hold.objects.get()
        assert again.is_replayed
        assert (hold.amount, selectors.cost_at_hold(hold, 2)) == (30, 20)


class TestCapture:
    def test_keeps_what_was_used_and_gives_the_rest_back_last_drawn_first(self, wallet, grant):
        first, second = grant(40, Lot.Kind.TRIAL, "a"), grant(40, reference="b")
        hold = place(wallet)

        capture(hold, 45)

        first.refresh_from_db()
        second.refresh_from_db()
        hold.refresh_from_db()
        assert (first.remaining, second.remaining) == (0, 35)
        assert (hold.status, hold.captured) == ("captured", 45)
        assert standing(wallet) == (35, 0)

    def test_is_done_once(self, wallet, grant):
        grant()
        hold = place(wallet)
        capture(hold, 45)

        again = capture(hold, 45)

        assert (again.is_replayed, again.amount) == (True, 15)
        assert standing(wallet) == (55, 0)

    def test_of_all_that_was_held_is_done_once(self, wallet, grant):
        """It writes no transaction by which it could be recognised."""
        grant()
        hold = place(wallet)
        capture(hold, 60)

        assert capture(hold, 60).is_replayed
        assert standing(wallet) == (40, 0)

    def test_refuses_another_amount_than_the_first_time(self, wallet, grant):
        grant()
        hold = place(wallet)
        capture(hold, 45)

        with pytest.raises(HoldSettled):
            capture(hold, 44)

    def test_refuses_more_than_was_held(self, wallet, grant):
        grant()
        hold = place(wallet)

        with pytest.raises(CaptureExceedsHold):
            capture(hold, 61)

        assert standing(wallet) == (40, 60)

    def test_takes_no_more_than_was_held_if_it_is_capped(self, wallet, grant):
        grant()
        hold = place(wallet, policy=Hold.Policy.CAP)

        capture(hold, 70)

        assert capture(hold, 70).is_replayed
        assert standing(wallet) == (40, 0)

    def test_charges_the_excess_if_it_may_overflow(self, wallet, grant):
        grant()
        hold = place(wallet, policy=Hold.Policy.OVERFLOW)

        outcome = capture(hold, 70)

        hold.refresh_from_db()
        assert (outcome.amount, hold.captured) == (-10, 70)
        assert standing(wallet) == (30, 0)

    def test_that_overflows_into_nothing_leaves_the_hold_as_it_was(self, wallet, grant):
        grant()
        hold = place(wallet, policy=Hold.Policy.OVERFLOW)

        with pytest.raises(InsufficientCredits):
            capture(hold, 101)

        hold.refresh_from_db()
        assert (hold.status, standing(wallet)) == ("held", (40, 60))

    def test_works_in_a_frozen_wallet_as_far_as_it_was_held(self, wallet, grant):
        grant()
        within = place(wallet, 20, "a")
        beyond = place(wallet, 20, "b", policy=Hold.Policy.OVERFLOW)
        change_status(wallet=wallet, is_frozen=True, reason="Test")

        capture(within, 20)

        with pytest.raises(WalletFrozen):
            capture(beyond, 21)

    def test_refuses_a_hold_that_is_not_there(self, wallet):
        hold = Hold(wallet=wallet, reference="render:9")

        with pytest.raises(HoldNotFound):
            capture(hold, 1)

    def test_lets_what_is_past_its_date_expire(self, wallet, grant):
        now = timezone.now()
        with moved_to(now):
            grant(expires_at=now + MINUTE)
            hold = place(wallet, ttl=HOUR)
        with moved_to(now + 2 * MINUTE):
            capture(hold, 45)

            assert standing(wallet) == (0, 0)
        expired = CreditTransaction.objects.filter(transaction_type="expired")
        assert sum(entry.amount for entry in expired) == -(40 + 15)


class TestRelease:
    def test_gives_all_of_it_back(self, wallet, grant):
        grant()

        release(place(wallet))

        assert standing(wallet) == (100, 0)

    def test_twice_is_no_more_than_once(self, wallet, grant):
        grant()
        hold = place(wallet)
        release(hold)

        assert release(hold).is_replayed
        assert standing(wallet) == (100, 0)

    def test_refuses_what_was_captured_and_the_other_way_round(self, wallet, grant):
        grant()
        captured, released = place(wallet, 20, "a"), place(wallet, 20, "b")
        capture(captured, 20)
        release(released)

        with pytest.raises(HoldSettled):
            release(captured)
        with pytest.raises(HoldSettled):
            capture(released, 20)


class TestAge:
    def test_ends_a_hold_at_the_very_instant(self, wallet, grant):
        now = timezone.now()
        with moved_to(now):
            grant()
            hold = place(wallet, ttl=MINUTE)
        with moved_to(now + MINUTE), pytest.raises(HoldSettled) as refusal:
            capture(hold, 60)

        assert refusal.value.details["hold_status"] == "expired"

    def test_leaves_a_hold_alone_an_instant_before(self, wallet, grant):
        now = timezone.now()
        with moved_to(now):
            grant()
            hold = place(wallet, ttl=MINUTE)
        with moved_to(now + MINUTE - timedelta(microseconds=1)):
            capture(hold, 60)

            assert standing(wallet) == (40, 0)

    def test_is_seen_to_by_the_sweep(self, wallet, grant):
        now = timezone.now()
        with moved_to(now):
            grant()
            place(wallet, ttl=MINUTE)
        with moved_to(now + MINUTE):
            sweep = sweep_expired_lots()

            assert (sweep.wallets, sweep.credits) == (1, 0)
            assert standing(wallet) == (100, 0)

    def test_frees_credits_for_the_next_charge_even_before_the_sweep(self, wallet, grant):
        now = timezone.now()
        with moved_to(now):
            grant()
            place(wallet, 100, ttl=MINUTE)
        with moved_to(now + MINUTE):
            place(wallet, 100, "render:2")

            assert standing(wallet) == (0, 100)

    def test_can_be_renewed_while_it_is_held(self, wallet, grant):
        now = timezone.now()
        with moved_to(now):
            grant()
            hold = place(wallet, ttl=MINUTE)
        with moved_to(now + MINUTE / 2):
            renew_hold(hold=hold, ttl=HOUR, source="test")
            renew_hold(hold=hold, ttl=MINUTE, source="test")  # shortens nothing
        with moved_to(now + HOUR):
            capture(hold, 60)
        with moved_to(now + HOUR), pytest.raises(HoldSettled):
            renew_hold(hold=hold, ttl=HOUR, source="test")


class TestRefund:
    def test_gives_a_captured_hold_back_to_its_lots(self, wallet, grant):
        first, second = grant(40, Lot.Kind.TRIAL, "a"), grant(40, reference="b")
        hold = place(wallet, policy=Hold.Policy.OVERFLOW)
        capture(hold, 70)

        refund_charge(
            wallet=wallet, charge_reference=hold.reference, reference="refund:1", source="test"
        )

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.remaining, second.remaining) == (40, 40)

    def test_gives_back_no_more_than_was_captured(self, wallet, grant):
        grant()
        hold = place(wallet)
        capture(hold, 45)

        with pytest.raises(AlreadyRefunded) as refusal:
            refund_charge(
                wallet=wallet,
                charge_reference=hold.reference,
                reference="refund:1",
                source="test",
                amount=46,
            )

        assert refusal.value.details["refundable"] == 45

    def test_gives_both_back_where_hold_and_overflow_drew_on_one_lot(self, wallet, grant):
        now = timezone.now()
        with moved_to(now):
            grant(expires_at=now + DAY)
            hold = place(wallet, policy=Hold.Policy.OVERFLOW)
            capture(hold, 70)
        with moved_to(now + DAY):
            for number, ours in ((1, True), (2, False)):
                refund_charge(
                    wallet=wallet,
                    charge_reference=hold.reference,
                    reference=f"refund:{number}",
                    source="test",
                    amount=35,
                    is_our_fault=ours,
                )

            assert standing(wallet) == (35, 0)

    @pytest.mark.parametrize("end", ["held", "released"])
    def test_refuses_a_hold_that_was_not_captured(self, wallet, grant, end):
        grant()
        hold = place(wallet)
        if end == "released":
            release(hold)

        with pytest.raises(ChargeNotFound):
            refund_charge(
                wallet=wallet, charge_reference=hold.reference, reference="r", source="test"
            )

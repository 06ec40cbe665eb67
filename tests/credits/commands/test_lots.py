"""What is done to one lot, to the wallet, and between wallets."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from apps.core.clock import moved_to
from apps.credits import selectors
from apps.credits.errors import (
    CycleNotOver,
    CycleRenewed,
    InsufficientCredits,
    InvalidTerms,
    LotExpiresTooEarly,
    LotHasLess,
    LotNotFound,
    PreviewOutdated,
    ReferenceReused,
    WalletClosed,
    WalletFrozen,
    WalletHasHolds,
)
from apps.credits.ledger.commands import ChangeExpiry, Deduct, Void
from apps.credits.ledger.posting import post_one
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.services import DRY_RUN, Mode
from apps.credits.services.allowances import renew_allowance
from apps.credits.services.charges import charge_amount, refund_charge
from apps.credits.services.holds import hold_amount
from apps.credits.services.transfers import transfer_credits
from apps.credits.services.wallets import change_status
from tests.people import make_organization

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


@transaction.atomic
def post(command):
    return post_one(command)


def cause(wallet, reference="cause:1"):
    return {"wallet_id": wallet.id, "reference": reference, "source": "test"}


def charge(wallet, amount, reference="job:1", **terms):
    return charge_amount(wallet=wallet, amount=amount, reference=reference, source="test", **terms)


class TestVoid:
    def test_takes_what_remains_of_that_lot_alone(self, wallet, grant):
        lot, other = grant(100), grant(50, reference="payment:2")
        charge(wallet, 30)

        post(Void(**cause(wallet), lot_id=lot.id))

        lot.refresh_from_db()
        other.refresh_from_db()
        assert (lot.remaining, other.remaining) == (0, 50)

    def test_is_done_once(self, wallet, grant):
        lot = grant(100)
        post(Void(**cause(wallet), lot_id=lot.id, amount=40))

        assert post(Void(**cause(wallet), lot_id=lot.id, amount=40)).is_replayed
        with pytest.raises(ReferenceReused):
            post(Void(**cause(wallet), lot_id=lot.id, amount=41))

    def test_refuses_more_than_remains_and_what_is_held(self, wallet, grant):
        lot = grant(100)
        hold_amount(wallet=wallet, amount=70, reference="h", source="test")

        with pytest.raises(LotHasLess) as refusal:
            post(Void(**cause(wallet), lot_id=lot.id, amount=31))

        assert refusal.value.details["remaining"] == 30

    def test_refuses_a_lot_of_another_wallet(self, wallet, grant):
        stranger = selectors.main_wallet(make_organization(name="Other"))
        lot = grant(100, to=stranger)

        with pytest.raises(LotNotFound):
            post(Void(**cause(wallet), lot_id=lot.id))


class TestDeduct:
    def test_takes_from_lots_of_every_kind(self, wallet, grant):
        grant(10, features=("render",))
        grant(10, reference="payment:2")

        post(Deduct(**cause(wallet), amount=20))

        assert Wallet.objects.get(pk=wallet.pk).balance == 0

    def test_refuses_more_than_there_is(self, wallet, grant):
        grant(10)

        with pytest.raises(InsufficientCredits):
            post(Deduct(**cause(wallet), amount=11))


class TestChangeExpiry:
    def test_moves_what_remains_to_a_lot_with_the_same_cost(self, wallet, grant):
        later = timezone.now() + 90 * DAY
        lot = grant(100, unit_cost=Decimal("1.5"), currency="eur", expires_at=later - 60 * DAY)
        charge(wallet, 30)

        post(ChangeExpiry(**cause(wallet), lot_id=lot.id, expires_at=later))

        lot.refresh_from_db()
        new = Lot.objects.get(origin="cause:1")
        assert (lot.remaining, lot.expires_at) == (0, later - 60 * DAY)
        assert (new.remaining, new.expires_at, new.unit_cost) == (70, later, Decimal("1.5"))

    def test_is_done_once_and_for_one_date(self, wallet, grant):
        later = timezone.now() + 90 * DAY
        lot = grant(100)
        post(ChangeExpiry(**cause(wallet), lot_id=lot.id, expires_at=later))

        assert post(ChangeExpiry(**cause(wallet), lot_id=lot.id, expires_at=later)).is_replayed
        with pytest.raises(ReferenceReused):
            post(ChangeExpiry(**cause(wallet), lot_id=lot.id, expires_at=later + DAY))

    def test_refuses_a_date_that_has_passed(self, wallet, grant):
        lot = grant(100)

        with pytest.raises(LotExpiresTooEarly):
            post(ChangeExpiry(**cause(wallet), lot_id=lot.id, expires_at=timezone.now() - DAY))

    def test_refuses_a_lot_that_is_empty(self, wallet, grant):
        lot = grant(100)
        charge(wallet, 100)

        with pytest.raises(LotHasLess):
            post(ChangeExpiry(**cause(wallet), lot_id=lot.id, expires_at=None))


class TestTransfer:
    @pytest.fixture
    def target(self, wallet):
        return Wallet.objects.create(organization=wallet.organization, kind="member")

    def send(self, wallet, target, amount=30, **terms):
        return transfer_credits(
            wallet=wallet, target=target, amount=amount, reference="t:1", source="test", **terms
        )

    def test_keeps_what_a_credit_cost_and_when_it_ends(self, wallet, target, grant):
        now = timezone.now()
        grant(10, unit_cost=Decimal(2), currency="eur", expires_at=now + DAY)
        grant(50, Lot.Kind.PROMOTIONAL, "gift", priority=60)

        self.send(wallet, target, kind=Lot.Kind.PARTNER, expires_at=now + 5 * DAY)

        first, second = Lot.objects.filter(wallet=target).order_by("granted")
        assert (first.granted, first.unit_cost, first.expires_at) == (10, 2, now + DAY)
        assert (second.granted, second.unit_cost, second.expires_at) == (20, 0, now + 5 * DAY)
        assert {first.kind, second.kind} == {"partner"}

    def test_keeps_the_kind_unless_told_otherwise(self, wallet, target, grant):
        grant(50, Lot.Kind.PROMOTIONAL, "gift")

        self.send(wallet, target)

        assert Lot.objects.get(wallet=target).kind == "promotional"

    def test_is_done_once(self, wallet, target, grant):
        grant(50)
        self.send(wallet, target)

        assert self.send(wallet, target).is_replayed
        assert Wallet.objects.get(pk=target.pk).balance == 30

    def test_refuses_another_amount_or_the_way_back_under_its_reference(
        self, wallet, target, grant
    ):
        grant(50)
        self.send(wallet, target)

        with pytest.raises(ReferenceReused):
            self.send(wallet, target, 31)
        with pytest.raises(ReferenceReused):
            self.send(target, wallet)

    def test_refuses_itself_a_closed_target_and_a_frozen_source(self, wallet, target, grant):
        grant(50)
        with pytest.raises(InvalidTerms):
            self.send(wallet, wallet)
        change_status(wallet=target, is_closed=True, reason="Test")
        with pytest.raises(WalletClosed):
            self.send(wallet, target)
        change_status(wallet=wallet, is_frozen=True, reason="Test")
        with pytest.raises(WalletFrozen):
            self.send(wallet, target)

    def test_reaches_a_frozen_target(self, wallet, target, grant):
        grant(50)
        change_status(wallet=target, is_frozen=True, reason="Test")

        self.send(wallet, target)

        assert Wallet.objects.get(pk=target.pk).balance == 30

    def test_hands_on_no_credits_that_are_for_certain_events(self, wallet, target, grant):
        grant(50, features=("render",))

        with pytest.raises(InsufficientCredits):
            self.send(wallet, target)

    def test_repays_what_the_target_owes(self, wallet, target, grant):
        Wallet.objects.filter(pk=target.pk).update(credit_line=20)
        charge(target, 20)
        grant(50)

        self.send(wallet, target)

        assert selectors.balance_of(target).available == 10


class TestStatus:
    def test_closes_a_wallet_to_everything_but_expiry(self, wallet, grant):
        now = timezone.now()
        with moved_to(now):
            lot = grant(100, expires_at=now + DAY)
            charge(wallet, 10)
            change_status(wallet=wallet, is_closed=True, reason="Left")
            with pytest.raises(WalletClosed):
                charge(wallet, 1, "job:2")
            with pytest.raises(WalletClosed):
                refund_charge(wallet=wallet, charge_reference="job:1", reference="r", source="t")
            assert charge(wallet, 10).is_replayed
        with moved_to(now + DAY):
            change_status(wallet=wallet, is_closed=False, reason="Came back")

        lot.refresh_from_db()
        assert lot.remaining == 0

    def test_refuses_to_close_while_credits_are_held(self, wallet, grant):
        grant(100)
        hold_amount(wallet=wallet, amount=10, reference="h", source="test")

        with pytest.raises(WalletHasHolds):
            change_status(wallet=wallet, is_closed=True, reason="Test")

    def test_keeps_since_when_it_is_frozen(self, wallet):
        change_status(wallet=wallet, is_frozen=True, reason="Test")
        since = Wallet.objects.get(pk=wallet.pk).frozen_at

        change_status(wallet=wallet, is_frozen=True, reason="Test")

        assert Wallet.objects.get(pk=wallet.pk).frozen_at == since


class TestAllowance:
    def renew(self, wallet, reference, now, ended=None, amount=100, **terms):
        return renew_allowance(
            wallet=wallet,
            amount=amount,
            expires_at=now + 30 * DAY,
            reference=reference,
            source="test",
            ended=ended,
            **terms,
        )

    @pytest.fixture
    def cycle(self, wallet):
        """A first cycle, of which 40 are left when it ends."""
        now = timezone.now()
        with moved_to(now):
            self.renew(wallet, "sub:1:2026-11", now)
            charge(wallet, 60)
        return Lot.objects.get(origin="sub:1:2026-11"), now + 30 * DAY

    @pytest.mark.parametrize(
        ("cap", "floor", "carried"), [(25, 0, 25), (100, 0, 40), (0, 50, 0), (100, 50, 50)]
    )
    def test_carries_over_the_lesser_of_cap_and_what_is_left(
        self, wallet, cycle, cap, floor, carried
    ):
        lot, end = cycle
        with moved_to(end):
            self.renew(wallet, "sub:1:2026-12", end, lot, rollover_cap=cap, rollover_floor=floor)

            assert selectors.balance_of(wallet).available == 100 + carried
        rollover = Lot.objects.filter(origin__startswith="rollover:").first()
        assert (rollover.priority if rollover else 5) == 5

    def test_touches_no_other_lot(self, wallet, cycle, grant):
        lot, end = cycle
        bought = grant(70)
        with moved_to(end):
            self.renew(wallet, "sub:1:2026-12", end, lot, rollover_cap=10)

        bought.refresh_from_db()
        assert bought.remaining == 70

    def test_is_done_once_for_a_cycle(self, wallet, cycle):
        lot, end = cycle
        with moved_to(end):
            first = self.renew(wallet, "sub:1:2026-12", end, lot, rollover_cap=10)
            again = self.renew(wallet, "sub:1:2026-12", end, lot, rollover_cap=10)

        assert (again.is_replayed, again.amount) == (True, first.amount)

    def test_refuses_to_follow_another_cycle_under_the_same_reference(self, wallet, cycle):
        lot, end = cycle
        with moved_to(end):
            self.renew(wallet, "sub:1:2026-12", end, lot, rollover_cap=10)

            with pytest.raises(ReferenceReused):
                self.renew(wallet, "sub:1:2026-12", end, None, rollover_cap=10)

    def test_carries_a_cycle_over_once(self, wallet, cycle):
        lot, end = cycle
        with moved_to(end):
            self.renew(wallet, "sub:1:2026-12", end, lot, rollover_cap=10)

            with pytest.raises(CycleRenewed):
                self.renew(wallet, "sub:2:2026-12", end, lot, rollover_cap=10)

    def test_waits_for_the_very_instant_of_the_end(self, wallet, cycle):
        lot, end = cycle
        with moved_to(end - MICROSECOND), pytest.raises(CycleNotOver):
            self.renew(wallet, "sub:1:2026-12", end, lot)

    def test_refuses_a_cycle_that_is_over_before_it_begins(self, wallet, cycle):
        lot, end = cycle
        with moved_to(end + 31 * DAY), pytest.raises(LotExpiresTooEarly):
            self.renew(wallet, "sub:1:2026-12", end, lot, rollover_cap=10)

        assert not CreditTransaction.objects.filter(reference__startswith="rollover:").exists()


class TestTerms:
    @pytest.mark.parametrize(
        ("terms", "field"),
        [
            ({"priority": -1}, "priority"),
            ({"unit_cost": Decimal(-1), "currency": "eur"}, "unit_cost"),
            ({"unit_cost": Decimal(1)}, "currency"),
            ({"unit_cost": Decimal(1), "currency": "EURO"}, "currency"),
            ({"kind": Lot.Kind.DEBT}, "kind"),
        ],
    )
    def test_that_cannot_be_are_named(self, grant, terms, field):
        with pytest.raises(InvalidTerms) as refusal:
            grant(**terms)

        assert refusal.value.details["field"] == field

    @pytest.mark.parametrize(
        "change",
        [
            {"kind": Lot.Kind.TRIAL},
            {"priority": 7},
            {"unit_cost": Decimal(2)},
            {"currency": "usd"},
            {"expires_at": None},
            {"features": ("render",)},
        ],
    )
    def test_of_a_repeated_grant_must_be_the_same(self, wallet, grant, change):
        terms = {
            "unit_cost": Decimal(1),
            "currency": "eur",
            "expires_at": timezone.now() + DAY,
        }
        grant(**terms)
        grant(**terms)  # the very same again is answered

        with pytest.raises(ReferenceReused):
            grant(**{**terms, **change})

    def test_of_a_lot_that_lives_for_a_time_are_the_same_tomorrow(self, grant):
        now = timezone.now()
        with moved_to(now):
            lot = grant(lives=7 * DAY)
        with moved_to(now + DAY):
            grant(lives=7 * DAY)

        assert lot.expires_at == now + 7 * DAY


class TestDryRun:
    def test_returns_what_is_then_posted_and_writes_nothing(self, wallet, grant):
        grant(30, Lot.Kind.TRIAL, "trial")
        grant(70)

        shown = charge(wallet, 50, mode=DRY_RUN)

        assert Wallet.objects.get(pk=wallet.pk).balance == 100
        done = charge(wallet, 50, mode=Mode(preview_token=shown.preview_token))
        facts = [(one.lot_id, one.amount, one.balance_after) for one in shown.entries]
        assert facts == [(one.lot_id, one.amount, one.balance_after) for one in done.entries]

    def test_is_out_of_date_once_anything_has_moved(self, wallet, grant):
        grant(100)
        shown = charge(wallet, 50, mode=DRY_RUN)
        charge(wallet, 1, "job:2")

        with pytest.raises(PreviewOutdated):
            charge(wallet, 50, mode=Mode(preview_token=shown.preview_token))

    def test_is_out_of_date_once_a_lot_has_expired(self, wallet, grant):
        now = timezone.now()
        with moved_to(now):
            grant(100)
            grant(10, Lot.Kind.TRIAL, "trial", expires_at=now + DAY)
            shown = charge(wallet, 50, mode=DRY_RUN)
        with moved_to(now + DAY), pytest.raises(PreviewOutdated):
            charge(wallet, 50, mode=Mode(preview_token=shown.preview_token))

    def test_stands_for_that_command_alone(self, wallet, grant):
        grant(100)
        shown = charge(wallet, 50, mode=DRY_RUN)

        with pytest.raises(PreviewOutdated):
            charge(wallet, 51, mode=Mode(preview_token=shown.preview_token))

    def test_does_not_keep_a_repeat_from_being_answered(self, wallet, grant):
        grant(100)
        shown = charge(wallet, 50, mode=DRY_RUN)
        mode = Mode(preview_token=shown.preview_token)
        charge(wallet, 50, mode=mode)

        assert charge(wallet, 50, mode=mode).is_replayed

"""Credits follow the money that bought them: taken back, given back, frozen meanwhile."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.clock import moved_to
from apps.credits.errors import (
    InsufficientCredits,
    InvalidAmount,
    LotFrozen,
    LotNotFound,
    MoreThanClawedBack,
    ReferenceReused,
)
from apps.credits.ledger.commands import ChangeExpiry, ClawBack, Deduct
from apps.credits.ledger.posting import post_one
from apps.credits.models import CreditTransaction, Hold, Lot, Wallet
from apps.credits.services import DRY_RUN
from apps.credits.services.charges import charge_amount, refund_charge
from apps.credits.services.clawbacks import (
    claw_back,
    clawbacks_of,
    forgive_owed,
    freeze_lot,
    owe_used,
    reinstate,
    used_of,
)
from apps.credits.services.holds import hold_amount, release_hold
from apps.credits.services.transfers import transfer_credits
from apps.credits.services.wallets import change_status, set_credit_line
from tests.people import make_organization
from tests.races.racing import at_once

DAY = timedelta(days=1)


def take(lot, amount, reference="refund:re_1", **terms):
    return claw_back(lot=lot, amount=amount, reference=reference, source="refund", **terms)


def give(lot, amount, reference="refund:re_1:failed"):
    return reinstate(lot=lot, amount=amount, reference=reference, source="refund")


def freeze(lot, is_frozen=True):
    freeze_lot(lot=lot, is_frozen=is_frozen, reference="dispute:dp_1", source="dispute")


def charge(wallet, amount, reference="job:1"):
    return charge_amount(wallet=wallet, amount=amount, reference=reference, source="test")


def rest(lot):
    return Lot.objects.get(pk=lot.pk).remaining


class TestClawBack:
    def test_takes_from_that_lot_alone_and_says_why(self, wallet, grant):
        lot, other = grant(100), grant(50, reference="payment:2")

        assert take(lot, 40).amount == -40

        assert (rest(lot), rest(other)) == (60, 50)
        row = CreditTransaction.objects.get(reference="refund:re_1")
        assert (row.transaction_type, row.source) == ("clawed_back", "refund")

    def test_leaves_what_was_used_used(self, wallet, grant):
        lot, other = grant(100), grant(50, reference="payment:2")
        charge(wallet, 70)

        assert take(lot, 100).amount == -30
        assert (rest(lot), rest(other)) == (0, 50)
        assert take(lot, 100, "refund:re_2").entries == ()

    def test_is_done_once(self, wallet, grant):
        lot = grant(100)
        take(lot, 40)

        assert take(lot, 40).is_replayed
        assert rest(lot) == 60
        with pytest.raises(ReferenceReused):
            take(lot, 39)
        with pytest.raises(ReferenceReused):
            take(grant(50, reference="payment:2"), 40)
        with pytest.raises(ReferenceReused):
            take(lot, 40, "payment:1")

    def test_of_a_dry_run_writes_nothing(self, wallet, grant):
        lot = grant(100)

        assert take(lot, 40, mode=DRY_RUN).amount == -40
        assert rest(lot) == 100

    def test_refuses_no_amount_and_another_wallets_lot(self, wallet, grant):
        lot = grant(100)
        with pytest.raises(InvalidAmount):
            take(lot, 0)
        stranger = Wallet.objects.get(organization=make_organization(name="Other"))
        with pytest.raises(LotNotFound), transaction.atomic():
            post_one(
                ClawBack(
                    wallet_id=stranger.id, lot_id=lot.id, amount=1, reference="x", source="test"
                )
            )

    def test_follows_the_money_out_of_a_frozen_and_a_closed_wallet(self, wallet, grant):
        lot = grant(100)
        change_status(wallet=wallet, reason="Test", is_frozen=True)
        take(lot, 40)
        change_status(wallet=wallet, reason="Test", is_frozen=False, is_closed=True)
        take(lot, 40, "refund:re_2")

        assert rest(lot) == 20
        give(lot, 40)
        assert rest(lot) == 60


class TestReinstate:
    def test_gives_back_what_was_taken_last_first(self, wallet, grant):
        lot = grant(100)
        take(lot, 40)
        take(lot, 30, "refund:re_2")

        assert give(lot, 50).amount == 50

        assert rest(lot) == 80
        back = CreditTransaction.objects.filter(reference="refund:re_1:failed")
        parts = back.order_by("sequence").values_list("reverses__reference", "amount")
        assert list(parts) == [("refund:re_2", 30), ("refund:re_1", 20)]
        assert clawbacks_of(lot) == ["refund:re_1", "refund:re_2", "refund:re_1:failed"]

    def test_is_done_once_and_never_more_than_was_taken(self, wallet, grant):
        lot = grant(100)
        take(lot, 40)
        give(lot, 30)

        assert give(lot, 30).is_replayed
        with pytest.raises(ReferenceReused):
            give(lot, 10)
        with pytest.raises(MoreThanClawedBack) as refusal:
            give(lot, 11, "again")
        assert refusal.value.details["clawed_back"] == 10
        assert rest(lot) == 90

    def test_of_what_is_past_its_date_expires_at_once(self, wallet, grant):
        end = timezone.now() + DAY
        lot = grant(100, expires_at=end)
        take(lot, 40)

        with moved_to(end):
            assert give(lot, 40).amount == 40

        assert rest(lot) == 0
        expired = CreditTransaction.objects.filter(lot=lot, transaction_type="expired")
        assert sorted(expired.values_list("amount", flat=True)) == [-60, -40]

    def test_is_the_only_way_to_a_positive_row(self, wallet, grant):
        lot = grant(100)
        take(lot, 40)
        with pytest.raises(IntegrityError, match="credits_sign_follows"), transaction.atomic():
            row = CreditTransaction.objects.get(reference="refund:re_1")
            row.pk, row.amount, row.sequence, row.reference = row.organization_id, 40, 99, "forged"
            row.save(force_insert=True)


class TestAFrozenLot:
    def test_is_drawn_on_by_nothing(self, wallet, grant):
        lot = grant(100)
        grant(10, reference="payment:2")
        freeze(lot)
        other = Wallet.objects.create(organization=wallet.organization, kind=Wallet.Kind.MEMBER)

        charge(wallet, 10)
        for draw in (
            lambda: charge(wallet, 1, "job:2"),
            lambda: hold_amount(wallet=wallet, amount=1, reference="h", source="test"),
            lambda: transfer_credits(
                wallet=wallet, target=other, amount=1, reference="t", source="test"
            ),
            lambda: deduct(wallet, 1),
        ):
            with pytest.raises(InsufficientCredits):
                draw()
        assert rest(lot) == 100

    def test_keeps_its_date(self, wallet, grant):
        lot = grant(100)
        freeze(lot)
        change = ChangeExpiry(
            wallet_id=wallet.id, lot_id=lot.id, expires_at=None, reference="x", source="test"
        )

        with pytest.raises(LotFrozen), transaction.atomic():
            post_one(change)

        freeze(lot, is_frozen=False)
        with transaction.atomic():
            post_one(change)

    def test_expires_and_is_taken_back_all_the_same(self, wallet, grant):
        end = timezone.now() + DAY
        lot = grant(100, expires_at=end)
        freeze(lot)
        take(lot, 40)

        with moved_to(end):
            grant(1, reference="payment:2")

        assert rest(lot) == 0

    def test_takes_in_what_comes_back_and_keeps_it(self, wallet, grant):
        lot = grant(100)
        charge(wallet, 30)
        hold_amount(wallet=wallet, amount=20, reference="h", source="test")
        freeze(lot)
        refund_charge(
            wallet=wallet, charge_reference="job:1", reference="refund:job:1", source="test"
        )
        release_hold(hold=Hold.objects.get(), source="test")

        assert rest(lot) == 100
        with pytest.raises(InsufficientCredits):
            charge(wallet, 1, "job:2")

    def test_stays_frozen_since_it_was(self, wallet, grant):
        lot = grant(100)
        freeze(lot)
        since = Lot.objects.get(pk=lot.pk).frozen_at
        freeze(lot)
        assert Lot.objects.get(pk=lot.pk).frozen_at == since

        freeze(lot, is_frozen=False)
        freeze(lot, is_frozen=False)
        assert Lot.objects.get(pk=lot.pk).frozen_at is None
        charge(wallet, 100)

    def test_pays_what_was_owed_each_time_that_it_thaws(self, wallet, grant):
        lot = grant(100)
        set_credit_line(wallet=wallet, limit=50, reason="Test")
        for number in range(2):
            freeze(lot)
            charge(wallet, 20, f"job:{number}")
            freeze(lot, is_frozen=False)

        assert rest(lot) == 60
        assert Wallet.objects.get(pk=wallet.pk).balance == 60

    def test_refuses_a_debt(self, wallet):
        set_credit_line(wallet=wallet, limit=50, reason="Test")
        charge(wallet, 20)
        with pytest.raises(LotNotFound):
            freeze(Lot.objects.get(wallet=wallet, kind="debt"))


def deduct(wallet, amount):
    with transaction.atomic():
        post_one(Deduct(wallet_id=wallet.id, amount=amount, reference="d", source="test"))


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_one_cause_takes_once(self, wallet, grant):
        lot = grant(1000)
        outcomes = at_once([lambda: take(lot, 40)] * 8)

        assert rest(lot) == 960
        assert sorted(outcome.is_replayed for outcome in outcomes) == [False] + [True] * 7

    def test_charges_beside_a_freeze_are_whole_or_refused(self, wallet, grant):
        lot = grant(1000)

        def work(number):
            try:
                charge(wallet, 10, f"job:{number}")
            except InsufficientCredits:
                return 0
            return 10

        spent = at_once([lambda: freeze(lot) or 0, *[lambda n=n: work(n) for n in range(8)]])

        assert rest(lot) == 1000 - sum(spent)
        with pytest.raises(InsufficientCredits):
            charge(wallet, 1, "job:late")


class TestOwing:
    def owe(self, lot, amount, already=0, reference="refund:re_1:owed"):
        with transaction.atomic():
            claw_back(lot=lot, amount=amount, reference="refund:re_1", source="refund")
            return owe_used(
                lot=lot, amount=amount, already=already, reference=reference, source="refund"
            )

    def forgive(self, lot, amount, reference="refund:re_1:failed"):
        return forgive_owed(lot=lot, amount=amount, reference=reference, source="refund")

    def test_is_no_more_than_was_used(self, wallet, grant):
        lot = grant(100)
        charge(wallet, 30)
        assert self.owe(lot, 100) == 30
        assert self.owe(lot, 100, already=30, reference="refund:re_2:owed") == 0
        wallet.refresh_from_db()
        assert (wallet.balance, wallet.owed_back) == (-30, 30)

    def test_is_nothing_for_what_expired(self, wallet, grant):
        lot = grant(100, expires_at=timezone.now() + DAY)
        charge(wallet, 30)
        with moved_to(timezone.now() + 2 * DAY):
            assert self.owe(lot, 100) == 30
            assert used_of(lot) == 30

    def test_is_nothing_in_a_closed_wallet(self, wallet, grant):
        lot = grant(100)
        charge(wallet, 100)
        change_status(wallet=wallet, is_closed=True, reason="Test")
        assert self.owe(lot, 100) == 0

    def test_lies_beside_the_credit_line(self, wallet, grant):
        lot = grant(100)
        charge(wallet, 100)
        self.owe(lot, 100)
        with pytest.raises(InsufficientCredits):
            charge(wallet, 1, "job:2")
        set_credit_line(wallet=wallet, limit=20, reason="Test")
        charge(wallet, 20, "job:3")
        with pytest.raises(InsufficientCredits):
            charge(wallet, 1, "job:4")
        set_credit_line(wallet=wallet, limit=20, reason="No more than what is owed on it")

    def test_must_be_given_back_once_and_no_more_than_it_was(self, wallet, grant):
        lot = grant(100)
        charge(wallet, 60)
        self.owe(lot, 100)
        assert self.forgive(lot, 40).amount == 40
        assert self.forgive(lot, 40).is_replayed
        with pytest.raises(ReferenceReused):
            self.forgive(lot, 39)
        with pytest.raises(MoreThanClawedBack):
            self.forgive(lot, 21, "refund:re_2:failed")
        wallet.refresh_from_db()
        assert (wallet.balance, wallet.owed_back) == (-20, 20)

    def test_of_another_amount_is_another_thing(self, wallet, grant):
        lot = grant(100)
        charge(wallet, 60)
        self.owe(lot, 100)
        with pytest.raises(ReferenceReused), transaction.atomic():
            owe_used(lot=lot, amount=5, already=0, reference="refund:re_1:owed", source="refund")

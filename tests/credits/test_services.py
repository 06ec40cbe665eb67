"""What the ledger's services do, refuse and repeat."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from apps.core.clock import moved_to
from apps.core.invariants import verify
from apps.credits import selectors
from apps.credits.errors import (
    AlreadyRefunded,
    ChargeNotFound,
    InsufficientCredits,
    InvalidAmount,
    LotExpiresTooEarly,
    ReferenceReused,
    UnknownCreditEvent,
    WalletClosed,
    WalletFrozen,
)
from apps.credits.ledger.commands import Charge
from apps.credits.ledger.posting import post
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.services.charges import charge_event, refund_charge
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.grants import grant_credits, grant_trial
from apps.credits.services.prices import set_price
from tests.people import make_organization

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def wallet(settings):
    settings.TRIAL_CREDITS = 0
    set_price(name="render", credit_cost=10, category="compute", description="Render")
    return selectors.main_wallet(make_organization())


@pytest.fixture(autouse=True)
def _nothing_is_broken():
    yield
    assert [finding for finding in verify() if finding.failures] == []


def grant(wallet, amount=100, kind=Lot.Kind.PURCHASE, reference="payment:1", **fields):
    return grant_credits(
        wallet=wallet, amount=amount, kind=kind, reference=reference, source="test", **fields
    )


def charge(wallet, reference="job:1", quantity=1):
    return charge_event(
        wallet=wallet, event="render", quantity=quantity, reference=reference, source="render"
    )


def refund(wallet, reference="refund:1", **fields):
    return refund_charge(
        wallet=wallet, charge_reference="job:1", reference=reference, source="render", **fields
    )


def available(wallet) -> int:
    return selectors.balance_of(wallet).available


class TestGrantCredits:
    def test_opens_a_lot(self, wallet):
        grant(wallet, unit_cost=Decimal("1.9"), currency="eur")

        lot = Lot.objects.get(wallet=wallet)
        assert (lot.granted, lot.remaining, lot.unit_cost) == (100, 100, Decimal("1.9"))
        assert CreditTransaction.objects.get(lot=lot).transaction_type == "purchased"

    def test_is_carried_out_once_for_a_reference(self, wallet):
        first, second = grant(wallet), grant(wallet)

        assert (first.is_replayed, second.is_replayed, available(wallet)) == (False, True, 100)

    def test_refuses_a_reference_that_means_something_else(self, wallet):
        grant(wallet)

        with pytest.raises(ReferenceReused):
            grant(wallet, amount=101)

    @pytest.mark.parametrize("amount", [0, -1, 10**15 + 1, True, 1.5])
    def test_refuses_what_is_no_amount(self, wallet, amount):
        with pytest.raises(InvalidAmount):
            grant(wallet, amount=amount)

    def test_refuses_a_lot_that_would_be_dead_at_birth(self, wallet):
        with pytest.raises(LotExpiresTooEarly):
            grant(wallet, expires_at=timezone.now() - DAY)

    def test_refuses_a_closed_wallet(self, wallet):
        Wallet.objects.update(closed_at=timezone.now())

        with pytest.raises(WalletClosed):
            grant(wallet)


class TestGrantTrial:
    def test_is_granted_once(self, wallet, settings):
        settings.TRIAL_CREDITS = 40

        grant_trial(wallet=wallet)
        grant_trial(wallet=wallet)

        assert available(wallet) == 40

    def test_ends_after_its_days(self, wallet, settings):
        settings.TRIAL_CREDITS, settings.TRIAL_DAYS = 40, 14
        grant_trial(wallet=wallet)

        with moved_to(timezone.now() + 14 * DAY + timedelta(seconds=1)):
            sweep_expired_lots()

        assert Wallet.objects.get(pk=wallet.pk).balance == 0


class TestChargeEvent:
    def test_takes_what_the_price_list_asks(self, wallet):
        grant(wallet)

        outcome = charge(wallet, quantity=3)

        assert (outcome.amount, available(wallet)) == (-30, 70)

    def test_burns_by_priority_then_expiry_then_kind_then_cost(self, wallet):
        now = timezone.now()
        terms = [
            ("purchase-late", Lot.Kind.PURCHASE, 20 * DAY, 2),
            ("purchase-dear", Lot.Kind.PURCHASE, 10 * DAY, 3),
            ("purchase-cheap", Lot.Kind.PURCHASE, 10 * DAY, 1),
            ("gift-never", Lot.Kind.PROMOTIONAL, None, 0),
            ("correction", Lot.Kind.ADJUSTMENT, 30 * DAY, 0),
            ("plan", Lot.Kind.SUBSCRIPTION, 30 * DAY, 0),
            ("trial", Lot.Kind.TRIAL, 30 * DAY, 0),
        ]
        for name, kind, life, cost in terms:
            grant(
                wallet,
                amount=10,
                kind=kind,
                reference=name,
                expires_at=now + life if life else None,
                unit_cost=Decimal(cost),
                currency="eur" if cost else "",
            )

        outcome = charge(wallet, quantity=7)

        origins = [Lot.objects.get(pk=entry.lot_id).origin for entry in outcome.entries]
        assert origins == [
            *("trial", "plan", "correction", "gift-never"),
            *("purchase-cheap", "purchase-dear", "purchase-late"),
        ]
        assert len({entry.reference for entry in outcome.entries}) == 1

    def test_replays_before_it_looks_at_the_balance(self, wallet):
        grant(wallet, amount=10)
        charge(wallet)

        again = charge(wallet)

        assert (again.is_replayed, available(wallet)) == (True, 0)

    def test_replays_whatever_the_price_is_now(self, wallet):
        grant(wallet)
        charge(wallet)
        set_price(name="render", credit_cost=99, category="compute")

        assert (charge(wallet).is_replayed, available(wallet)) == (True, 90)

    def test_replays_what_is_sold_no_more(self, wallet):
        grant(wallet)
        charge(wallet)
        set_price(name="render", credit_cost=10, category="compute", is_active=False)

        assert charge(wallet).is_replayed

    def test_refuses_another_quantity_under_the_same_reference(self, wallet):
        grant(wallet)
        charge(wallet)

        with pytest.raises(ReferenceReused):
            charge(wallet, quantity=2)

    def test_replays_before_it_looks_at_the_status(self, wallet):
        grant(wallet)
        charge(wallet)
        Wallet.objects.update(frozen_at=timezone.now(), closed_at=timezone.now())

        assert charge(wallet).is_replayed

    def test_refuses_and_says_what_is_missing(self, wallet):
        grant(wallet, amount=9)

        with pytest.raises(InsufficientCredits) as refusal, transaction.atomic():
            charge(wallet)

        assert refusal.value.details == {
            "required": 10,
            "available": 9,
            "held": 0,
            "shortfall": 1,
        }
        assert available(wallet) == 9

    def test_refuses_a_frozen_wallet_that_may_still_receive(self, wallet):
        Wallet.objects.update(frozen_at=timezone.now())
        grant(wallet)

        with pytest.raises(WalletFrozen):
            charge(wallet)

    def test_refuses_an_event_that_is_not_sold(self, wallet):
        set_price(name="render", credit_cost=10, category="compute", is_active=False)

        with pytest.raises(UnknownCreditEvent):
            charge(wallet)

    def test_draws_only_on_lots_that_admit_the_event(self, wallet):
        grant(wallet, features=("storage",))

        with pytest.raises(InsufficientCredits), transaction.atomic():
            charge(wallet)
        grant(wallet, reference="payment:2", features=("compute",))

        assert charge(wallet).amount == -10

    def test_never_spends_what_is_past_its_date_or_not_yet_valid(self, wallet):
        now = timezone.now()
        grant(wallet, reference="early", effective_at=now + DAY)
        grant(wallet, reference="late", expires_at=now + DAY)

        with moved_to(now + DAY - timedelta(microseconds=1)):
            charge(wallet, reference="in time")
        with moved_to(now + 2 * DAY):
            charge(wallet, reference="from the other lot")

        drawn = CreditTransaction.objects.filter(transaction_type="consumed").order_by("sequence")
        assert [entry.lot.origin for entry in drawn.select_related("lot")] == ["late", "early"]
        assert CreditTransaction.objects.get(transaction_type="expired").amount == -90

    def test_keeps_the_price_of_its_day(self, wallet):
        grant(wallet)
        charge(wallet)

        set_price(name="render", credit_cost=99, category="compute")

        entry = CreditTransaction.objects.get(transaction_type="consumed")
        assert (entry.amount, entry.credit_event.credit_cost) == (-10, 10)


class TestRefundCharge:
    def test_gives_back_to_the_same_lots_last_drawn_first(self, wallet):
        grant(wallet, amount=15, kind=Lot.Kind.TRIAL, reference="a")
        grant(wallet, amount=15, reference="b")
        charge(wallet, quantity=2)

        refund(wallet, amount=16)

        left = dict(Lot.objects.values_list("origin", "remaining"))
        assert left == {"a": 11, "b": 15}

    def test_is_carried_out_once_for_a_reference(self, wallet):
        grant(wallet)
        charge(wallet)

        refund(wallet)

        assert refund(wallet).is_replayed
        assert available(wallet) == 100

    def test_refuses_more_than_is_left_of_the_charge(self, wallet):
        grant(wallet)
        charge(wallet)
        refund(wallet, amount=6)

        with pytest.raises(AlreadyRefunded) as refusal:
            refund(wallet, reference="refund:2", amount=5)

        assert refusal.value.details["refundable"] == 4

    def test_refuses_a_second_full_refund(self, wallet):
        grant(wallet)
        charge(wallet)
        refund(wallet)

        with pytest.raises(AlreadyRefunded):
            refund(wallet, reference="refund:2")

    def test_refuses_a_charge_of_another_wallet(self, wallet):
        grant(wallet)
        charge(wallet)
        other = selectors.main_wallet(make_organization())

        with pytest.raises(ChargeNotFound):
            refund(other)

    @pytest.mark.parametrize("amount", [0, -10])
    def test_refuses_what_is_no_amount(self, wallet, amount):
        grant(wallet)
        charge(wallet)

        with pytest.raises(InvalidAmount):
            refund(wallet, amount=amount)

    def test_replaces_a_dead_lot_when_the_fault_is_ours(self, wallet):
        now = timezone.now()
        grant(wallet, amount=10, expires_at=now + DAY)
        charge(wallet)

        with moved_to(now + 2 * DAY):
            refund(wallet, is_our_fault=True)

        grace = Lot.objects.get(origin__startswith="grace:")
        assert (grace.kind, grace.remaining) == ("purchase", 10)
        assert grace.expires_at == now + 9 * DAY

    def test_shows_both_when_the_fault_is_not_ours(self, wallet):
        now = timezone.now()
        grant(wallet, amount=10, expires_at=now + DAY)
        charge(wallet)

        with moved_to(now + 2 * DAY):
            refund(wallet)

        types = CreditTransaction.objects.order_by("sequence").values_list("transaction_type")
        assert [name for (name,) in types] == ["purchased", "consumed", "refunded", "expired"]
        assert Wallet.objects.get(pk=wallet.pk).balance == 0


class TestPost:
    def test_gives_each_command_of_a_batch_an_outcome_of_its_own(self, wallet):
        grant(wallet, amount=10)

        outcomes = post_charges(wallet, [6, 6, 4])

        assert [getattr(one, "code", "done") for one in outcomes] == [
            "done",
            "insufficient_credits",
            "done",
        ]
        assert available(wallet) == 0

    def test_costs_the_same_number_of_statements_for_many(
        self, wallet, django_assert_max_num_queries
    ):
        grant(wallet, amount=1000)

        with django_assert_max_num_queries(8):
            post_charges(wallet, [1] * 200)

    def test_refuses_to_work_outside_a_transaction(self):
        with pytest.raises(RuntimeError, match="needs an open transaction"):
            post([])


def post_charges(wallet, amounts):
    with transaction.atomic():
        return post(
            [
                Charge(
                    wallet_id=wallet.id, reference=f"batch:{number}", source="test", amount=amount
                )
                for number, amount in enumerate(amounts)
            ]
        )


class TestSweepExpiredLots:
    @pytest.fixture
    def due(self, wallet):
        now = timezone.now()
        wallets = [wallet, *(selectors.main_wallet(make_organization()) for _ in range(2))]
        for one in wallets:
            grant(one, amount=7, expires_at=now + DAY)
        with moved_to(now + DAY):
            yield wallets

    def test_writes_off_what_is_due_once(self, due):
        assert sweep_expired_lots().credits == 21
        assert sweep_expired_lots().wallets == 0
        assert {Wallet.objects.get(pk=one.pk).balance for one in due} == {0}

    def test_works_in_batches(self, due):
        first, second = sweep_expired_lots(limit=2), sweep_expired_lots(limit=2)

        assert (first.wallets, first.has_more, second.wallets) == (2, True, 1)

    def test_writes_nothing_in_a_dry_run(self, due):
        sweep = sweep_expired_lots(dry_run=True)

        assert sweep.credits == 21
        assert not CreditTransaction.objects.filter(transaction_type="expired").exists()


class TestOperations:
    def test_show_one_line_with_parts(self, wallet):
        grant(wallet, amount=6, reference="a")
        grant(wallet, amount=6, reference="b")
        charge(wallet)

        latest = selectors.recent_operations(wallet, limit=5)[0]

        assert (latest.amount, len(latest.parts), latest.last.balance_after) == (-10, 2, 2)

    def test_tell_what_expires_first(self, wallet):
        soon = timezone.now() + DAY
        grant(wallet, amount=5, reference="a", expires_at=soon)
        grant(wallet, amount=9, reference="b")

        balance = selectors.balance_of(wallet)

        assert (balance.available, balance.expiring_amount, balance.expiring_at) == (14, 5, soon)

"""A purchase that is paid and granted, and what tests of refunds and disputes ask of it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.billing.models import Payment, WebhookEvent
from apps.billing.services.customers import ensure_customer
from apps.credits.ledger.commands import ChangeExpiry
from apps.credits.ledger.posting import post_one
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.selectors.lots import heirs_of
from apps.credits.services.charges import charge_amount, refund_charge
from simulator.core.timers import run_due
from tests.billing.stripe import Stripe, handle_everything
from tests.people import make_organization


@dataclass
class Purchase:
    """Credits that an organization bought, at Stripe and here."""

    stripe: Stripe
    payment: Payment
    intent: str
    charge: str

    @property
    def wallet(self) -> Wallet:
        return Wallet.objects.get(organization=self.payment.organization)

    @property
    def lot(self) -> Lot:
        return Lot.objects.get(origin=f"payment_intent:{self.intent}")

    def spend(self, amount: int, reference: str) -> None:
        charge_amount(wallet=self.wallet, amount=amount, reference=reference, source="test")

    def now(self) -> Payment:
        self.payment.refresh_from_db()
        return self.payment

    def refund_at_stripe(self, amount: int | None = None) -> str:
        params = {"payment_intent": self.intent}
        return self.stripe.v1.refunds.create(params | ({"amount": amount} if amount else {})).id

    def dispute(self) -> str:
        return self.stripe.v1.disputes.list({"payment_intent": self.intent}).data[0].id

    def answer(self, words: str) -> None:
        """Hand evidence in: the simulator's words decide what the bank does."""
        self.stripe.v1.disputes.update(self.dispute(), {"evidence": {"uncategorized_text": words}})

    def fail(self, reference: str) -> None:
        """Give a charge back, because what was charged for failed."""
        refund_charge(
            wallet=self.wallet,
            charge_reference=reference,
            reference=f"{reference}:failed",
            source="test",
            is_our_fault=True,
        )

    @transaction.atomic
    def redate(self, lot: Lot, expires_at: datetime | None, reference: str) -> None:
        """Give what remains of a lot another date, as staff do."""
        post_one(
            ChangeExpiry(
                wallet_id=lot.wallet_id,
                lot_id=lot.id,
                expires_at=expires_at,
                reference=reference,
                source="test",
            )
        )

    def family(self) -> list[Lot]:
        """Return the lot and its heirs."""
        return [self.lot, *heirs_of([self.lot])]

    def clawed_back(self) -> int:
        rows = CreditTransaction.objects.filter(
            lot__in=self.family(), transaction_type="clawed_back"
        )
        return -sum(rows.values_list("amount", flat=True))

    def status(self) -> tuple[int, int, int, int, bool, bool]:
        """Return money refunded, credits due, taken and left, and whether it is frozen."""
        payment, lot = self.now(), self.lot
        return (
            payment.refunded,
            payment.to_claw_back,
            payment.clawed_back,
            lot.remaining,
            payment.disputed_at is not None,
            lot.frozen_at is not None,
        )


def buy(
    stripe, *, card="pm_card_visa", amount=2000, credits=500, tells=True, valid_days=None
) -> Purchase:
    """Pay with this test card, and let Stripe tell of it unless `tells` is false."""
    organization = make_organization()
    customer = ensure_customer(organization=organization)
    payment = Payment.objects.create(
        organization=organization,
        purpose=Payment.Purpose.CUSTOM,
        credits=credits,
        valid_days=valid_days,
        amount=amount,
        currency="eur",
        is_live=False,
    )
    intent = stripe.v1.payment_intents.create(
        {
            "customer": customer.stripe_id,
            "amount": amount,
            "currency": "eur",
            "payment_method": card,
            "payment_method_types": ["card"],
            "confirm": True,
            "metadata": {"coffer_payment": payment.public_id},
        }
    )
    if tells:
        stripe.tell()
        settle()
        payment.refresh_from_db()
    return Purchase(stripe, payment, intent.id, intent.latest_charge)


def settle() -> None:
    """Handle what waits for something that came after it, too, until nothing waits."""
    for _ in range(6):
        waiting = WebhookEvent.objects.filter(status="pending")
        if not waiting.update(due_at=timezone.now()):
            return
        handle_everything()
    assert not WebhookEvent.objects.filter(status="pending").exists()


def let_banks_decide(stripe) -> None:
    """Move Stripe's clock on, so that refunds that wait succeed or fail."""
    stripe.server.world.shift += 6
    run_due(stripe.server.world)

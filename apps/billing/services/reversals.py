"""
What refunds and disputes together do to a payment and to the credits bought with it.

There is no step for each event. Whatever Stripe told is written down first; then the payment
and its lot are brought to where all that is written down puts them. So the order in which
things are told, and how often, makes no difference.
"""

from collections.abc import Sequence
from typing import TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Value
from django.db.models.functions import Concat

from apps.billing.models import Customer, Dispute, Payment, Refund
from apps.billing.selectors.refunds import owes_used
from apps.billing.services import sweeping
from apps.billing.services.subscriptions import plan_times
from apps.core.db import inside_transaction
from apps.credits.models import Lot, Wallet
from apps.credits.services.clawbacks import (
    claw_back,
    forgive_owed,
    freeze_lot,
    movements_for,
    owe_used,
    reinstate,
)


class Words(TypedDict):
    """What each movement says of its cause."""

    source: str
    source_id: str


@inside_transaction
def lock_payment(payment_id: UUID) -> Payment:
    """Lock a payment and, before it, its customer: the order in which everybody locks."""
    organization_id = Payment.objects.values_list("organization_id", flat=True).get(pk=payment_id)
    list(Customer.objects.select_for_update().filter(organization_id=organization_id))
    return Payment.objects.select_for_update().get(pk=payment_id)


def settle_up(payment: Payment, *, cause: str) -> Payment:
    """
    Bring a locked payment, and the lot bought with it, to where refunds and disputes put them.

    Whatever is done to the lot is done to its heirs: what was given another date, and what came
    back by our failure after the lot had expired. What was lent of them follows.

    Taken back is the part of the credits that the money is of all that was paid, rounded
    down, as far as it is unused. What was used is owed where that is the policy; otherwise what
    comes back to the lot later is taken then (`take_what_came_back`). `cause` names the
    movement in the ledger (`refund:re_…`).
    """
    refunds, disputes = list(payment.refunds.all()), list(payment.disputes.all())
    moved = [one for one in refunds if one.status in Refund.MOVED]
    still_open = [one.opened_at for one in disputes if one.is_open]
    lost = [one for one in disputes if one.status == Dispute.Status.LOST]
    payment.refunded = min(payment.amount + payment.tax, _money(moved))
    payment.to_claw_back = worth(payment, _money(moved) + _money(lost))
    payment.disputed_at = min(still_open, default=None)
    if payment.to_claw_back and payment.owes_used is None:
        payment.owes_used = owes_used(payment)
    if payment.purpose == Payment.Purpose.PASS:
        plan_times.follow_money(payment, _money(moved) + _money(lost))
    lot = lot_of(payment)
    if lot is not None:
        # Taken first and thawed then: what is to be taken must repay no debt.
        _take(payment, lot, cause)
        if bool(still_open) != (lot.frozen_at is not None):
            freeze_lot(lot=lot, is_frozen=bool(still_open), reference=cause, source="dispute")
    payment.save(
        update_fields=[
            *("refunded", "to_claw_back", "owes_used"),
            *("clawed_back", "clawed_back_as_debt", "disputed_at"),
        ]
    )
    taken = _share_out(payment, moved, lost)
    rows: list[Refund | Dispute] = [*refunds, *disputes]
    for row in rows:
        if row.credits != taken.get(row.pk, 0):
            row.credits = taken.get(row.pk, 0)
            row.save(update_fields=["credits"])
    return payment


def worth(payment: Payment, money: int) -> int:
    """Return how many of its credits so much of what was paid has bought, rounded down."""
    total = payment.amount + payment.tax
    return payment.credits * min(money, total) // total if total else 0


def lot_of(payment: Payment) -> Lot | None:
    """Return the lot that was bought with a payment, if it was credits that were bought."""
    return Lot.objects.filter(
        organization_id=payment.organization_id,
        wallet__kind=Wallet.Kind.ORGANIZATION,
        origin=payment.reference,
    ).first()


def take_what_came_back(*, limit: int = 100) -> int:
    """
    Take back what was missing and is in its lot by now, and return from how many payments.

    A hold that is released, or a job that is refunded, brings credits back whose money is
    with the customer already; in the lot itself, or where they were lent to.
    """
    holding = Lot.objects.filter(
        organization_id=OuterRef("organization_id"),
        has_credits=True,  # as the index asks
        remaining__gt=0,
    )
    came_back = holding.filter(wallet__kind=Wallet.Kind.ORGANIZATION)
    bought = Concat(Value("payment_intent:"), OuterRef("stripe_payment_intent_id"))
    owing = Payment.objects.filter(
        Exists(came_back.filter(origin=bought))
        | Exists(came_back.filter(heir_of__origin=bought))
        | Exists(holding.filter(returns_to__origin=bought))
        | Exists(holding.filter(returns_to__heir_of__origin=bought)),
        to_claw_back__gt=F("clawed_back"),
    )
    return sweeping.each(owing.order_by("created_at")[:limit], _settle_again)


@transaction.atomic
def _settle_again(payment: Payment) -> None:
    settle_up(lock_payment(payment.pk), cause=f"payment:{payment.public_id}")


def _take(payment: Payment, lot: Lot, cause: str) -> None:
    """Take credits back, or give them back, and let the payment say how many are taken by now."""
    missing = payment.to_claw_back - payment.clawed_back
    if not missing:
        return
    # A cause may move credits more than once: taken, given back, taken once more.
    reference = f"{cause}:{movements_for(lot) + 1}"
    words: Words = {"source": cause.partition(":")[0], "source_id": payment.public_id}
    if missing < 0:
        _give(payment, lot, -missing, reference, words)
        return
    taken = claw_back(
        lot=lot,
        amount=missing,
        reference=reference,
        description="The money went back: unused credits taken back",
        **words,
    )
    owed = 0
    if payment.owes_used:
        owed = owe_used(
            lot=lot,
            amount=missing + taken.amount,
            already=payment.clawed_back_as_debt,
            reference=f"{reference}:owed",
            description="The money went back: used credits are owed",
            **words,
        )
    payment.clawed_back += owed - taken.amount
    payment.clawed_back_as_debt += owed


def _give(payment: Payment, lot: Lot, amount: int, reference: str, words: Words) -> None:
    """Give credits back: first what is, or was, owed of them."""
    forgiven = min(amount, payment.clawed_back_as_debt)
    if forgiven:
        forgive_owed(
            lot=lot,
            amount=forgiven,
            reference=f"{reference}:owed",
            description="The money stayed: used credits are owed no more",
            **words,
        )
    if amount > forgiven:
        reinstate(
            lot=lot,
            amount=amount - forgiven,
            reference=reference,
            description="The money stayed: credits given back",
            **words,
        )
    payment.clawed_back -= amount
    payment.clawed_back_as_debt -= forgiven


def _money(rows: Sequence[Refund | Dispute]) -> int:
    return sum(row.amount for row in rows)


def _share_out(payment: Payment, refunds: list[Refund], lost: list[Dispute]) -> dict[UUID, int]:
    """Return how many credits were taken for what: first for refunds, each in Stripe's order."""
    causes: list[Refund | Dispute] = [
        *sorted(refunds, key=lambda one: (one.told_at, one.stripe_refund_id)),
        *sorted(lost, key=lambda one: (one.opened_at, one.stripe_dispute_id)),
    ]
    money = shared = 0
    taken: dict[UUID, int] = {}
    for cause in causes:
        money += cause.amount
        share = min(worth(payment, money), payment.clawed_back) - shared
        shared += share
        taken[cause.pk] = share
    assert shared == payment.clawed_back, "all that is taken has a cause"
    return taken

"""Disputes: followed wherever the bank takes them."""

from datetime import UTC, datetime
from typing import Any

from apps.billing.errors import PaymentDiffers
from apps.billing.models import Dispute, Payment
from apps.billing.services.reversals import settle_up
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.tenants.services.audit import record

Json = dict[str, Any]
# An inquiry may become a dispute. What has an end may get another one, as the bank decides
# anew, but is never open again.
_ORDER = (
    {Dispute.Status.WARNING_NEEDS_RESPONSE},
    {Dispute.Status.WARNING_UNDER_REVIEW},
    {Dispute.Status.NEEDS_RESPONSE},
    {Dispute.Status.UNDER_REVIEW},
    {
        Dispute.Status.WARNING_CLOSED,
        Dispute.Status.PREVENTED,
        Dispute.Status.WON,
        Dispute.Status.LOST,
    },
)


@inside_transaction
def follow(*, payment: Payment, told: Json) -> Dispute:
    """
    Bring a dispute of a locked payment to where Stripe says that it is now, and all after it.

    While it is open the lot that was bought is frozen; won, it is free again; lost, the
    unused part of it is taken back.

    :raises PaymentDiffers: if it is in another currency than the payment.
    """
    if told["currency"] != payment.currency:
        raise PaymentDiffers(payment=payment.public_id)
    dispute = Dispute.objects.filter(stripe_dispute_id=told["id"]).first()
    status = Dispute.Status(told["status"])
    if dispute is None or rank(status) >= rank(Dispute.Status(dispute.status)):
        before = dispute.status if dispute else ""
        dispute = _write(dispute or _new(payment, told), told, status)
        if status != before:
            _record(dispute, before)
    settle_up(payment, cause=f"dispute:{told['id']}")
    dispute.refresh_from_db()
    return dispute


def rank(status: Dispute.Status) -> int:
    """Return how far this status is from the beginning."""
    return next(place for place, those in enumerate(_ORDER) if status in those)


def _new(payment: Payment, told: Json) -> Dispute:
    return Dispute(
        organization_id=payment.organization_id,
        payment=payment,
        stripe_dispute_id=told["id"],
        opened_at=datetime.fromtimestamp(told["created"], UTC),
    )


def _write(dispute: Dispute, told: Json, status: Dispute.Status) -> Dispute:
    due = told["evidence_details"]["due_by"]
    dispute.status = status
    dispute.amount = told["amount"]
    dispute.reason = told["reason"]
    dispute.evidence_due_at = datetime.fromtimestamp(due, UTC) if due else None
    if rank(status) < len(_ORDER) - 1:
        dispute.closed_at = None
    elif dispute.closed_at is None:
        dispute.closed_at = database_now()
    if status != Dispute.Status.LOST:
        dispute.credits = 0  # what was taken for it is given back by what follows
    dispute.save()
    return dispute


def _record(dispute: Dispute, before: str) -> None:
    record(
        action="dispute.changed" if before else "dispute.opened",
        organization=dispute.organization,
        object_id=dispute.public_id,
        before={"status": before} if before else None,
        after={
            "payment": dispute.payment.public_id,
            "status": dispute.status,
            "amount": dispute.amount,
            "currency": dispute.payment.currency,
        },
    )

"""
Refunds: followed wherever they go, whoever asked for them.

What we asked for and its answer, what staff did at Stripe's dashboard, and Stripe's webhooks:
all of it ends in `follow`. How one is asked for is in `refund_requests`.
"""

from datetime import UTC, datetime
from typing import Any

import structlog

from apps.billing.errors import PaymentDiffers
from apps.billing.models import Payment, Refund
from apps.billing.services.reversals import settle_up
from apps.core.db import inside_transaction
from apps.tenants.services.audit import record

logger = structlog.get_logger(__name__)
Json = dict[str, Any]
_STATUSES = {
    "pending": Refund.Status.PENDING,
    "requires_action": Refund.Status.PENDING,
    "succeeded": Refund.Status.SUCCEEDED,
    "failed": Refund.Status.FAILED,
    "canceled": Refund.Status.FAILED,
}
_ORDER = list(Refund.Status)


@inside_transaction
def follow(*, payment: Payment, told: Json) -> Refund:
    """
    Bring a refund of a locked payment to where Stripe says that it is now, and all after it.

    One that was made at Stripe gets its row here. Older news change nothing.

    :raises PaymentDiffers: if it is in another currency than the payment.
    """
    if told["currency"] != payment.currency:
        raise PaymentDiffers(payment=payment.public_id)
    refund = _row_of(payment, told)
    status = _STATUSES[told["status"]]
    is_found = refund.stripe_refund_id is not None
    if not is_found or _ORDER.index(status) > _ORDER.index(Refund.Status(refund.status)):
        refund.stripe_refund_id = told["id"]
        refund.told_at = datetime.fromtimestamp(told["created"], UTC)
        refund.failure_reason = told.get("failure_reason") or ""
        refund.status = status
        if status == Refund.Status.FAILED:
            refund.credits = 0
        refund.save()
        if status == Refund.Status.FAILED:
            note_failure(refund)
        else:
            record_change(f"refund.{status}", refund)
    settle_up(payment, cause=f"refund:{told['id']}")
    refund.refresh_from_db()
    return refund


def record_change(action: str, refund: Refund, *, reason: str = "") -> None:
    """Write into the audit log what became of a refund; `reason` is a person's own words."""
    record(
        action=action,
        organization=refund.organization,
        object_id=refund.public_id,
        after={
            "payment": refund.payment.public_id,
            "amount": refund.amount,
            "currency": refund.payment.currency,
            "reason": refund.reason,
        },
        reason=reason,
    )


def note_failure(refund: Refund) -> None:
    """Write down that the money stays here; of what goes back by itself nobody else would learn."""
    record_change(f"refund.{Refund.Status.FAILED}", refund)
    if refund.reason == Refund.Reason.UNDELIVERABLE:
        logger.error(
            "money_not_given_back", refund=refund.public_id, payment=refund.payment.public_id
        )


def _row_of(payment: Payment, told: Json) -> Refund:
    """Return the row of a refund: by Stripe's id, by ours in its metadata, or a new one."""
    found = Refund.objects.filter(stripe_refund_id=told["id"]).first()
    named = Refund.read_id((told.get("metadata") or {}).get("coffer_refund", ""))
    if found is None and named is not None:
        ours = payment.refunds.filter(pk=named, stripe_refund_id=None, amount=told["amount"])
        found = ours.first()
    if found is not None:
        return found
    known = told.get("reason") in Refund.Reason.values
    return Refund(
        organization_id=payment.organization_id,
        payment=payment,
        amount=told["amount"],
        reason=told["reason"] if known else Refund.Reason.OTHER,
    )

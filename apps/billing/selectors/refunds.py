"""What went back of payments, and what is disputed."""

from django.db.models import F, Prefetch, QuerySet

from apps.billing.models import Dispute, Payment, Refund
from apps.tenants.selectors.config import Setting, declare, value_of

OWE_USED = declare(
    Setting(
        "billing.owe_used_credits",
        default=False,
        description="Credits that were used before their money went back (refund, lost dispute)"
        " are owed, and repaid by the next ones; otherwise they are forgiven.",
    )
)


def owes_used(payment: Payment) -> bool:
    """Tell whether used credits of a payment are owed: as decided for it, or as it is set now."""
    return value_of(OWE_USED) if payment.owes_used is None else payment.owes_used


def with_reversals(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """Bring refunds and disputes along, the newest first: two queries for however many."""
    return payments.prefetch_related(
        Prefetch("refunds", Refund.objects.order_by("-id")),
        Prefetch("disputes", Dispute.objects.order_by("-id")),
    )


def disputes_to_answer() -> QuerySet[Dispute]:
    """Return disputes and inquiries that wait for an answer, the one due first first."""
    waiting = Dispute.objects.filter(status__in=Dispute.TO_ANSWER)
    return waiting.order_by(F("evidence_due_at").asc(nulls_last=True), "id")

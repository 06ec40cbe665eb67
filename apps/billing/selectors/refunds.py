"""What went back of payments, and what is disputed."""

from django.db.models import F, Prefetch, QuerySet

from apps.billing.models import Dispute, Payment, Refund


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

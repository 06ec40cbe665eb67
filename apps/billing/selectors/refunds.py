"""What went back of payments, and what is disputed."""

from django.db.models import F, QuerySet

from apps.billing.models import Dispute, Payment, Refund


def refunds_of(payment: Payment) -> QuerySet[Refund]:
    """Return a payment's refunds, the newest first; those that failed as well."""
    return Refund.objects.filter(payment=payment).order_by("-id")


def disputes_of(payment: Payment) -> QuerySet[Dispute]:
    """Return a payment's disputes, the newest first."""
    return Dispute.objects.filter(payment=payment).order_by("-id")


def disputes_to_answer() -> QuerySet[Dispute]:
    """Return disputes and inquiries that wait for an answer, the one due first first."""
    waiting = Dispute.objects.filter(status__in=Dispute.TO_ANSWER)
    return waiting.order_by(F("evidence_due_at").asc(nulls_last=True), "id")

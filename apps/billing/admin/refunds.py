"""Staff pages of refunds and disputes: what went back, and what has to be answered."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from apps.billing.admin.links import at_stripe, payment_link
from apps.billing.models import Dispute, Refund
from apps.billing.selectors.refunds import disputes_to_answer
from apps.core.admin import badge_of
from apps.core.templatetags.coffer import ago, money
from apps.credits.admin.base import LedgerAdmin

REFUND_COLOURS = {"requested": "warning", "pending": "info", "succeeded": "success"}
REFUND_COLOURS |= {"failed": "danger"}
DISPUTE_COLOURS = {
    "Needs an answer": "danger",
    "Inquiry: needs an answer": "danger",
    "Under review": "warning",
    "Inquiry: under review": "warning",
    "Won": "success",
    "Lost": "danger",
}


@admin.register(Refund)
class RefundAdmin(LedgerAdmin[Refund]):
    """Refunds of every organization; a new one begins at its payment."""

    list_display = [
        "public_id",
        "organization",
        "of_payment",
        "money",
        "state",
        "credits",
        "reason",
        "requested_by",
        "created_at",
    ]
    list_filter = ["status", "reason"]
    list_select_related = ["organization", "payment", "requested_by"]
    search_fields = ["organization__name"]
    search_help_text = "Organization, rfd_…, pay_…, org_…, or Stripe's re_… exactly"
    ids_searched = {"rfd": "pk", "pay": "payment", "org": "organization"}
    texts_searched = ["stripe_refund_id"]
    fields = [
        "public_id",
        "organization",
        "of_payment",
        "money",
        "status",
        "reason",
        "note",
        "requested_by",
        "credits",
        "failure_reason",
        "stripe_refund_id",
        "created_at",
        "told_at",
    ]
    readonly_fields = ["public_id", "of_payment", "money", "created_at"]
    csv_columns = [
        "public_id",
        "organization.slug",
        "payment.public_id",
        "amount",
        "payment.currency",
        "status",
        "credits",
        "reason",
        "note",
        "requested_by.email",
        "stripe_refund_id",
        "failure_reason",
        "created_at",
    ]

    @display(description="status", ordering="status", label=REFUND_COLOURS)  # type: ignore[untyped-decorator]  # of Unfold
    def state(self, refund: Refund) -> str:
        """Say how far it has come."""
        return refund.status

    @admin.display(description="amount", ordering="amount")
    def money(self, refund: Refund) -> str:
        """Write what goes back."""
        return money(refund.amount, refund.payment.currency)

    @admin.display(description="payment")
    def of_payment(self, refund: Refund) -> str:
        """Link to what was paid."""
        return payment_link(refund.payment)


@admin.register(Dispute)
class DisputeAdmin(LedgerAdmin[Dispute]):
    """Disputes of every organization, each with the way to Stripe, where it is answered."""

    list_display = [
        "state",
        "organization",
        "of_payment",
        "money",
        "reason",
        "answer_by",
        "credits",
        "at_stripe",
        "opened_at",
    ]
    list_filter = ["status", "reason"]
    list_select_related = ["organization", "payment"]
    search_fields = ["organization__name"]
    search_help_text = "Organization, dsp_…, pay_…, org_…, or Stripe's du_… exactly"
    ids_searched = {"dsp": "pk", "pay": "payment", "org": "organization"}
    texts_searched = ["stripe_dispute_id"]
    fields = [
        "public_id",
        "organization",
        "of_payment",
        "money",
        "status",
        "reason",
        "evidence_due_at",
        "credits",
        "at_stripe",
        "opened_at",
        "closed_at",
    ]
    readonly_fields = ["public_id", "of_payment", "money", "at_stripe"]
    csv_columns = [
        "public_id",
        "organization.slug",
        "payment.public_id",
        "amount",
        "payment.currency",
        "status",
        "reason",
        "credits",
        "evidence_due_at",
        "stripe_dispute_id",
        "opened_at",
        "closed_at",
    ]

    @display(description="status", ordering="status", label=DISPUTE_COLOURS)  # type: ignore[untyped-decorator]  # of Unfold
    def state(self, dispute: Dispute) -> str:
        """Flag those that somebody has to answer."""
        return dispute.get_status_display()

    @admin.display(description="amount", ordering="amount")
    def money(self, dispute: Dispute) -> str:
        """Write what the bank takes back."""
        return money(dispute.amount, dispute.payment.currency)

    @admin.display(description="answer by", ordering="evidence_due_at")
    def answer_by(self, dispute: Dispute) -> str:
        """Say how long it can still be answered, if it waits for that."""
        if dispute.status not in Dispute.TO_ANSWER or dispute.evidence_due_at is None:
            return "—"
        return ago(dispute.evidence_due_at)

    @admin.display(description="payment")
    def of_payment(self, dispute: Dispute) -> str:
        """Link to what was paid."""
        return payment_link(dispute.payment)

    @admin.display(description="at Stripe")
    def at_stripe(self, dispute: Dispute) -> str:
        """Link to Stripe's own page of it, where it is answered."""
        is_live = dispute.payment.is_live
        return at_stripe("disputes", dispute.stripe_dispute_id, is_live=is_live)

    def menu_badge(self, request: HttpRequest) -> str:
        """Count those that somebody has to answer."""
        return badge_of(disputes_to_answer())

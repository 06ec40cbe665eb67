"""Staff pages of payments: read only, because what is paid is decided at Stripe."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from unfold.decorators import action

from apps.billing.admin import links
from apps.billing.admin.refunding import RefundDesk
from apps.billing.models import Payment
from apps.core.templatetags.coffer import money
from apps.credits.admin.base import LedgerAdmin, link, list_url


@admin.register(Payment)
class PaymentAdmin(LedgerAdmin[Payment]):
    """Payments of every organization."""

    actions_detail = ["refund"]
    list_display = [
        "public_id",
        "organization",
        "purpose",
        "status",
        "total",
        "credits",
        "refunded_text",
        "failure_code",
        "created_at",
    ]
    list_filter = ["status", "purpose", "currency", "is_live"]
    list_select_related = ["organization", "product_version__product", "user"]
    search_fields = ["organization__name"]
    search_help_text = "Organization, pay_…, org_…, or Stripe's pi_…, cs_… or in_… exactly"
    ids_searched = {"pay": "pk", "org": "organization"}
    texts_searched = [
        "stripe_payment_intent_id",
        "stripe_session_id",
        "stripe_invoice_id",
        "failure_code",
    ]
    fields = [
        "public_id",
        "organization",
        "user",
        "purpose",
        "product_version",
        "plan_version",
        "description",
        "credits",
        "valid_days",
        "amount_text",
        "tax_text",
        "status",
        "failure_code",
        "failure_message",
        "refunded_text",
        "clawed_back",
        "clawed_back_as_debt",
        "disputed_at",
        "ledger",
        "at_stripe",
        "stripe_session_id",
        "stripe_invoice_id",
        "is_live",
        "created_at",
        "asked_at",
        "settled_at",
    ]
    readonly_fields = [
        "public_id",
        "amount_text",
        "tax_text",
        "refunded_text",
        "ledger",
        "at_stripe",
        "created_at",
    ]
    csv_columns = [
        "public_id",
        "organization.slug",
        "purpose",
        "description",
        "status",
        "credits",
        "amount",
        "tax",
        "currency",
        "refunded",
        "clawed_back",
        "failure_code",
        "stripe_payment_intent_id",
        "stripe_session_id",
        "stripe_invoice_id",
        "is_live",
        "created_at",
        "settled_at",
    ]

    @admin.display(description="total")
    def total(self, payment: Payment) -> str:
        """Write what is paid, tax included."""
        return money(payment.amount + payment.tax, payment.currency)

    @admin.display(description="amount")
    def amount_text(self, payment: Payment) -> str:
        """Write the price without tax."""
        return money(payment.amount, payment.currency)

    @admin.display(description="tax")
    def tax_text(self, payment: Payment) -> str:
        """Write the tax."""
        return money(payment.tax, payment.currency)

    @admin.display(description="refunded")
    def refunded_text(self, payment: Payment) -> str:
        """Write what went back."""
        return money(payment.refunded, payment.currency) if payment.refunded else "—"

    @admin.display(description="ledger")
    def ledger(self, payment: Payment) -> str:
        """Link to what was granted for it."""
        if payment.status != Payment.Status.SUCCEEDED or not payment.stripe_payment_intent_id:
            return "—"
        return link(list_url("credittransaction", q=payment.reference), "Transactions")

    @admin.display(description="at Stripe")
    def at_stripe(self, payment: Payment) -> str:
        """Link to Stripe's own page of it."""
        found = payment.stripe_payment_intent_id
        return links.at_stripe("payments", found, is_live=payment.is_live) if found else "—"

    def has_refund_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those give money back who may add refunds."""
        return request.user.has_perm("billing.add_refund")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Refund", url_path="refund", icon="undo", permissions=["refund"]
    )
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """
        Refund the payment in two steps.

        :raises Http404: if there is none.
        """
        payment: Payment | None = self.get_object(request, object_id)
        if payment is None:
            raise Http404
        frame = {**self.admin_site.each_context(request), "opts": self.opts}
        return RefundDesk(request, payment, frame).answer()

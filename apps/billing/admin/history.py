"""Staff pages of invoices, receipts and credit notes: read only, as Stripe says that they are."""

from django.contrib import admin
from django.utils.html import format_html_join

from apps.billing.models import BillingDocument
from apps.core.templatetags.coffer import money
from apps.credits.admin.base import LINK, LedgerAdmin


@admin.register(BillingDocument)
class BillingDocumentAdmin(LedgerAdmin[BillingDocument]):
    """Documents of every organization."""

    list_display = [
        "public_id",
        "organization",
        "kind",
        "number",
        "status",
        "amount_text",
        "due_text",
        "issued_at",
        "due_at",
    ]
    list_filter = ["kind", "status", "currency"]
    list_select_related = ["organization", "payment"]
    search_fields = ["organization__name"]
    search_help_text = "Organization, bdoc_…, org_… or pay_…, or number or Stripe's id exactly"
    ids_searched = {"bdoc": "pk", "org": "organization", "pay": "payment"}
    texts_searched = ["stripe_id", "number"]
    fields = [
        "public_id",
        "organization",
        "kind",
        "number",
        "stripe_id",
        "status",
        "amount_text",
        "tax_text",
        "due_text",
        "payment",
        "issued_at",
        "due_at",
        "paid_at",
        "period_start",
        "period_end",
        "at_stripe",
        "created_at",
    ]
    readonly_fields = [
        "public_id",
        "amount_text",
        "tax_text",
        "due_text",
        "at_stripe",
        "created_at",
    ]
    csv_columns = [
        "public_id",
        "organization.slug",
        "kind",
        "number",
        "status",
        "amount",
        "tax",
        "currency",
        "amount_due",
        "issued_at",
        "due_at",
        "paid_at",
        "period_start",
        "period_end",
        "stripe_id",
    ]

    @admin.display(description="amount")
    def amount_text(self, document: BillingDocument) -> str:
        """Write the amount, tax included."""
        return money(document.amount, document.currency)

    @admin.display(description="tax")
    def tax_text(self, document: BillingDocument) -> str:
        """Write the tax in it."""
        return money(document.tax, document.currency)

    @admin.display(description="due")
    def due_text(self, document: BillingDocument) -> str:
        """Write what is still to be paid."""
        return money(document.amount_due, document.currency) if document.amount_due else "—"

    @admin.display(description="at Stripe")
    def at_stripe(self, document: BillingDocument) -> str:
        """Link to Stripe's page and file of it."""
        links = [("Page", document.hosted_url), ("PDF", document.pdf_url)]
        shown = ((url, text) for text, url in links if url)
        return format_html_join(" ", LINK, shown) or "—"

"""Billing history: invoices, receipts and credit notes, as Stripe says that they are."""

from django.db import models
from django.db.models import Q

from apps.billing.models.catalogue import CURRENCY
from apps.billing.models.payments import Payment
from apps.core.models import Row
from apps.tenants.models import Organization


class BillingDocument(Row):
    """
    One document about money, kept here so that a list of them asks nobody.

    Invoices and credit notes follow Stripe's; a receipt is that of a payment that was
    settled. What is paid or void never becomes open again.
    """

    PREFIX = "bdoc"

    class Kind(models.TextChoices):
        """What it is."""

        INVOICE = "invoice", "Invoice"
        RECEIPT = "receipt", "Receipt"
        CREDIT_NOTE = "credit_note", "Credit note"

    class Status(models.TextChoices):
        """How it stands, in Stripe's words; a credit note is issued, and a receipt is paid."""

        OPEN = "open", "Open"
        PAID = "paid", "Paid"
        VOID = "void", "Void"
        UNCOLLECTIBLE = "uncollectible", "Uncollectible"
        ISSUED = "issued", "Issued"

    FINAL = (Status.PAID, Status.VOID)

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=11, choices=Kind)
    # in_…, cn_…, or for a receipt the pi_… that was paid: an invoice's payment has one as well.
    stripe_id = models.CharField(max_length=255, unique=True)
    number = models.CharField(max_length=100, blank=True)  # as Stripe printed it
    amount = models.BigIntegerField()  # minor units of the currency, with tax
    tax = models.BigIntegerField(default=0)  # minor units; part of the amount
    currency = models.CharField(max_length=3)
    amount_due = models.BigIntegerField(default=0)  # minor units that are still to be paid
    status = models.CharField(max_length=13, choices=Status)
    issued_at = models.DateTimeField()  # by Stripe's clock
    due_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    period_start = models.DateTimeField(null=True, blank=True)  # what it is for
    period_end = models.DateTimeField(null=True, blank=True)  # exclusive
    hosted_url = models.TextField(blank=True)  # Stripe's page of it
    pdf_url = models.TextField(blank=True)  # Stripe's PDF of it
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="+", null=True, blank=True)
    # To whom it is addressed, line by line, as it was when it was issued; empty: nothing was said.
    billed_to = models.TextField(blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="billing_document_kind_has_its_status",
                condition=Q(kind="invoice", status__in=["open", "paid", "void", "uncollectible"])
                | Q(kind="receipt", status="paid", payment__isnull=False)
                | Q(kind="credit_note", status__in=["issued", "void"]),
            ),
            models.CheckConstraint(
                name="billing_document_is_possible",
                condition=Q(amount__gte=0, tax__gte=0, amount_due__gte=0)
                & Q(currency__regex=CURRENCY),
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-issued_at", "-id"], name="billing_documents_of_tenant"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number or self.stripe_id}"

"""Attempts to pay an open invoice with the saved card, each asked for by somebody."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.billing.models.history import BillingDocument
from apps.core.models import Row
from apps.tenants.models import Organization


class InvoiceAttempt(Row):
    """
    One time that Stripe was asked to charge an open invoice to the saved card.

    Written before Stripe is asked; its id is the key of the question, so that a lost answer is
    asked for again. It says what came of the question. What is paid stands in the invoice and
    its payment, which follow Stripe's news.
    """

    PREFIX = "batt"

    class Status(models.TextChoices):
        """What Stripe said."""

        ASKED = "asked", "Stripe has not answered yet"
        PAID = "paid", "Paid"
        PROCESSING = "processing", "The bank works on it"
        DECLINED = "declined", "Declined"
        ACTION_REQUIRED = "action_required", "The bank asks for a confirmation"
        REFUSED = "refused", "Refused by Stripe"
        UNANSWERED = "unanswered", "Stripe never answered"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    document = models.ForeignKey(BillingDocument, models.PROTECT, related_name="attempts")
    # The card that was shown when it was asked for; empty: none, so that Stripe says so.
    payment_method_id = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=15, choices=Status, default=Status.ASKED)
    failure_code = models.CharField(max_length=100, blank=True)  # Stripe's decline code, or code
    failure_message = models.TextField(blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )  # who asked for it; None: a program with a key of the organization's
    ended_at = models.DateTimeField(null=True, blank=True)  # when the answer was written down

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document"],
                condition=Q(status="asked"),
                name="billing_one_attempt_of_an_invoice_at_a_time",
            ),
            models.CheckConstraint(
                name="billing_ended_attempt_says_when",
                condition=Q(status="asked", ended_at=None)
                | (~Q(status="asked") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=Q(status="asked"),
                name="billing_attempts_to_resume",
            )
        ]

    def __str__(self) -> str:
        return f"{self.document}: {self.status}"

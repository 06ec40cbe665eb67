"""Refunds and disputes: money that went back after it was paid, or that may go back."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.billing.models.payments import Payment
from apps.core.models import Mailed, Row
from apps.tenants.models import Organization


class Refund(Mailed):
    """
    Money of a payment that goes back, asked for here or at Stripe's own dashboard.

    One that is asked for here is written down before Stripe is asked, and its id is the key
    of that question. A status is never left for an earlier one; a bank may send money back
    to us long after it was given, so that what has succeeded can still fail.

    Of one that nobody asked for the customer is told by mail.
    """

    PREFIX = "rfd"

    class Status(models.TextChoices):
        """How far it has come, in this order; the last one is final."""

        REQUESTED = "requested"  # Stripe was not asked yet, or its answer got lost
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"  # the money is with us, and so the credits with the customer

    class Reason(models.TextChoices):
        """Why; the first three are Stripe's own words, and it learns from them."""

        REQUESTED_BY_CUSTOMER = "requested_by_customer", "The customer asked for it"
        DUPLICATE = "duplicate", "Paid twice"
        FRAUDULENT = "fraudulent", "Paid with somebody else's card"
        OTHER = "other", "Another reason"
        UNDELIVERABLE = "undeliverable", "What was paid could not be given"  # by itself, in full

    OF_STRIPE = (Reason.REQUESTED_BY_CUSTOMER, Reason.DUPLICATE, Reason.FRAUDULENT)
    OF_STAFF = (*OF_STRIPE, Reason.OTHER)

    MOVED = (Status.PENDING, Status.SUCCEEDED)  # the money has left us, as far as is known

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    stripe_refund_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    amount = models.BigIntegerField()  # minor units of the payment's currency
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    reason = models.CharField(max_length=25, choices=Reason, default=Reason.OTHER)
    note = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )  # None: made at Stripe, or by itself
    credits = models.BigIntegerField(default=0)  # taken back for it, of the payment's
    failure_reason = models.CharField(max_length=500, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)  # made, by Stripe's clock

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="billing_refund_is_possible", condition=Q(amount__gt=0, credits__gte=0)
            ),
            models.CheckConstraint(
                name="billing_refund_status_is_known",
                condition=Q(status__in=["requested", "failed"])
                | Q(status__in=["pending", "succeeded"], stripe_refund_id__isnull=False),
            ),
            models.CheckConstraint(
                name="billing_refund_at_stripe_says_when",
                condition=Q(stripe_refund_id=None, told_at=None)
                | Q(stripe_refund_id__isnull=False, told_at__isnull=False),
            ),
            models.CheckConstraint(
                name="billing_failed_refund_takes_nothing",
                condition=Q(credits=0) | Q(status__in=["pending", "succeeded"]),
            ),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(reason="undeliverable"),
                name="billing_undeliverable_payment_goes_back_once",
            ),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(
                fields=["created_at"],
                condition=Q(status="requested"),
                name="billing_refunds_to_resume",
            ),
            models.Index(fields=["organization", "-id"], name="billing_refunds_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.payment.currency} ({self.status})"


class Dispute(Row):
    """
    A payment that the cardholder has his bank take back, and what came of it.

    While it is open nothing can be drawn from what was bought. An inquiry is no dispute yet:
    the bank only asks, and the money stays with us.
    """

    PREFIX = "dsp"

    class Status(models.TextChoices):
        """Stripe's words for how far it has come; those after `under_review` are final."""

        WARNING_NEEDS_RESPONSE = "warning_needs_response", "Inquiry: needs an answer"
        WARNING_UNDER_REVIEW = "warning_under_review", "Inquiry: under review"
        NEEDS_RESPONSE = "needs_response", "Needs an answer"
        UNDER_REVIEW = "under_review", "Under review"
        WARNING_CLOSED = "warning_closed", "Inquiry: closed"
        PREVENTED = "prevented", "Prevented"
        WON = "won", "Won"
        LOST = "lost", "Lost"

    INQUIRIES = (Status.WARNING_NEEDS_RESPONSE, Status.WARNING_UNDER_REVIEW)
    OPEN = (Status.NEEDS_RESPONSE, Status.UNDER_REVIEW)
    TO_ANSWER = (Status.WARNING_NEEDS_RESPONSE, Status.NEEDS_RESPONSE)

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="disputes")
    stripe_dispute_id = models.CharField(max_length=255, unique=True)
    amount = models.BigIntegerField()  # minor units of the payment's currency
    status = models.CharField(max_length=25, choices=Status)
    reason = models.CharField(max_length=100)  # Stripe's word: fraudulent, product_not_received
    credits = models.BigIntegerField(default=0)  # taken back because it was lost
    evidence_due_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField()  # by Stripe's clock
    closed_at = models.DateTimeField(null=True, blank=True)  # when we were told

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="billing_dispute_is_possible", condition=Q(amount__gte=0, credits__gte=0)
            ),
            models.CheckConstraint(
                name="billing_dispute_status_is_known",
                condition=Q(
                    status__in=[
                        "warning_needs_response",
                        "warning_under_review",
                        "needs_response",
                        "under_review",
                    ],
                    closed_at=None,
                )
                | Q(
                    status__in=["warning_closed", "prevented", "won", "lost"],
                    closed_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="billing_only_a_lost_dispute_takes",
                condition=Q(credits=0) | Q(status="lost"),
            ),
        ]
        indexes = [
            models.Index(
                fields=["evidence_due_at"],
                condition=Q(closed_at=None),
                name="billing_disputes_to_answer",
            ),
            models.Index(fields=["organization", "-id"], name="billing_disputes_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.payment.currency} ({self.status})"

    @property
    def is_open(self) -> bool:
        """Whether the bank has the money and has not decided: what was bought is frozen."""
        return self.status in self.OPEN

    @property
    def outcome(self) -> str:
        """What came of it, in a word; empty while it is not over."""
        return "" if self.closed_at is None else self.get_status_display()

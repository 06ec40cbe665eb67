"""Payments: what was to be paid, what for, and what became of it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.billing.models.catalogue import CURRENCY, PlanVersion, ProductVersion
from apps.core.models import Row
from apps.tenants.models import Organization


class Payment(Row):
    """
    One thing that is paid through Stripe, written down before Stripe is asked for it.

    Its id is the idempotency key of every question to Stripe about it, so that an answer
    that got lost is asked for again and never means a second charge. What is granted for
    it stands here from the beginning: Stripe's answer only says whether it was paid.
    """

    PREFIX = "pay"

    class Purpose(models.TextChoices):
        """What it is for."""

        PACK = "pack"  # a pack of credits
        CUSTOM = "custom"  # credits for an amount of one's own choice
        RELOAD = "reload"  # the automatic reload
        PASS = "pass"  # noqa: S105  a plan that ends by itself
        INVOICE = "invoice"  # of a subscription; Stripe made it
        CAPACITY = "capacity"  # a reservation, of the app above that knows what that is

    class Status(models.TextChoices):
        """How far it has come. Succeeded is final: what happens later has rows of its own."""

        CREATED = "created"  # Stripe was not asked yet
        OPEN = "open"  # the customer is at Stripe's page
        PROCESSING = "processing"
        ACTION_REQUIRED = "action_required"  # the bank wants to see the customer
        UNKNOWN = "unknown"  # Stripe was asked, and its answer got lost
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"  # nobody paid, and nobody can any more

    IN_FLIGHT = (
        Status.CREATED,
        Status.OPEN,
        Status.PROCESSING,
        Status.ACTION_REQUIRED,
        Status.UNKNOWN,
    )
    TO_ASK = (Status.CREATED, Status.UNKNOWN)  # Stripe has not answered

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=10, choices=Purpose)
    product_version = models.ForeignKey(
        ProductVersion, models.PROTECT, related_name="+", null=True, blank=True
    )
    plan_version = models.ForeignKey(
        PlanVersion, models.PROTECT, related_name="+", null=True, blank=True
    )
    # What an app above is paid for: its id there, and its words for the customer.
    subject_id = models.UUIDField(null=True, blank=True, editable=False)
    description = models.CharField(max_length=200, blank=True, default="", db_default="")
    credits = models.BigIntegerField(default=0)  # granted once it is paid
    valid_days = models.PositiveIntegerField(null=True, blank=True)  # of those; None: for ever
    amount = models.BigIntegerField()  # minor units of the currency, without tax
    tax = models.BigIntegerField(default=0)  # minor units, as Stripe computed it
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=15, choices=Status, default=Status.CREATED)
    is_live = models.BooleanField()
    stripe_payment_intent_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    stripe_session_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    stripe_invoice_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    pay_url = models.TextField(blank=True)  # where the customer pays, or authenticates
    # What Stripe was asked for, word by word: one key must never come with another question.
    question = models.JSONField(null=True, blank=True, editable=False)
    failure_code = models.CharField(max_length=100, blank=True)  # Stripe's decline code, or code
    failure_message = models.TextField(blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )  # who bought; None: the automatic reload, or Stripe's own renewal
    asked_at = models.DateTimeField(null=True, blank=True)  # when Stripe was first asked
    settled_at = models.DateTimeField(null=True, blank=True)  # when it succeeded
    refunded = models.BigIntegerField(default=0)  # minor units, as Stripe says
    clawed_back = models.BigIntegerField(default=0)  # credits taken back for refund and dispute
    # Credits that the refunded and lost money bought; what was used of them is not taken back.
    to_claw_back = models.BigIntegerField(default=0)
    # Of what was taken back, credits that were used already: the wallet owes, or owed, them.
    clawed_back_as_debt = models.BigIntegerField(default=0)
    # Whether used ones are owed; decided when money of it goes back first, and kept.
    owes_used = models.BooleanField(null=True, blank=True, editable=False)
    disputed_at = models.DateTimeField(null=True, blank=True)  # open dispute; its lot is frozen

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="billing_payment_is_possible",
                condition=Q(amount__gte=0)
                & Q(tax__gte=0)
                & Q(credits__gte=0)
                & Q(currency__regex=CURRENCY),
            ),
            models.CheckConstraint(
                name="billing_payment_purpose_is_known",
                condition=Q(
                    purpose__in=["pack", "custom", "reload", "pass", "invoice", "capacity"]
                ),
            ),
            models.CheckConstraint(
                name="billing_payment_for_an_app_above_says_for_what",
                condition=Q(purpose="capacity", subject_id__isnull=False, credits=0)
                | (~Q(purpose="capacity") & Q(subject_id=None)),
            ),
            models.CheckConstraint(
                name="billing_payment_status_is_known",
                condition=Q(
                    status__in=[
                        "created",
                        "open",
                        "processing",
                        "action_required",
                        "unknown",
                        "succeeded",
                        "failed",
                        "cancelled",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="billing_settled_payment_says_when",
                condition=Q(status="succeeded", settled_at__isnull=False)
                | (~Q(status="succeeded") & Q(settled_at=None)),
            ),
            models.CheckConstraint(
                name="billing_payment_is_refunded_at_most_once",
                condition=Q(refunded__gte=0, refunded__lte=F("amount") + F("tax")),
            ),
            models.CheckConstraint(
                name="billing_clawed_back_is_part_of_credits",
                condition=Q(clawed_back__gte=0, clawed_back__lte=F("credits")),
            ),
            models.CheckConstraint(
                name="billing_clawed_back_was_refunded_or_lost",
                condition=Q(to_claw_back__gte=F("clawed_back"), to_claw_back__lte=F("credits")),
            ),
            models.CheckConstraint(
                name="billing_debt_is_part_of_clawed_back",
                condition=Q(clawed_back_as_debt=0)
                | Q(
                    clawed_back_as_debt__gt=0,
                    clawed_back_as_debt__lte=F("clawed_back"),
                    owes_used=True,
                ),
            ),
            # Whatever threshold and limits say: two reloads never run beside each other.
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(
                    purpose="reload",
                    status__in=["created", "open", "processing", "action_required", "unknown"],
                ),
                name="billing_one_reload_at_a_time",
            ),
            # Two pages for one thing would let it be paid twice.
            models.UniqueConstraint(
                fields=["subject_id"],
                condition=Q(
                    subject_id__isnull=False,
                    status__in=["created", "open", "processing", "action_required", "unknown"],
                ),
                name="billing_one_payment_of_subject_at_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"], name="billing_payments_of_tenant"
            ),
            models.Index(
                fields=["asked_at"],
                condition=Q(status__in=["created", "unknown"]),
                name="billing_payments_to_resume",
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=["created", "unknown", "open", "action_required"]),
                name="billing_payments_in_flight",
            ),
            models.Index(
                fields=["stripe_payment_intent_id"],
                condition=Q(to_claw_back__gt=F("clawed_back")),
                name="billing_payments_to_claw_back",
            ),
            models.Index(
                fields=["subject_id"],
                condition=Q(subject_id__isnull=False),
                name="billing_payments_of_subject",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.amount} {self.currency} ({self.status})"

    @property
    def refund_status(self) -> str:
        """How much of it went back: nothing, a part, or all."""
        if not self.refunded:
            return "none"
        return "full" if self.refunded >= self.amount + self.tax else "partial"

    @property
    def reference(self) -> str:
        """The cause in the ledger: the payment intent, so that each way there grants once."""
        assert self.stripe_payment_intent_id, "it has none before Stripe answered"
        return f"payment_intent:{self.stripe_payment_intent_id}"

"""Reconciliation: where Stripe, our payments and the ledger do not say the same."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.billing.models.payments import Payment
from apps.core.models import Row
from apps.tenants.models import Organization


class ReconciliationRun(Row):
    """
    One comparison of Stripe, payments and ledger over a span of time.

    Made before it begins, so that whoever asked for it sees that it is under way. One that
    could not ask Stripe has failed, and then opened and closed no case.
    """

    PREFIX = "rcr"

    class Status(models.TextChoices):
        """How far it has come."""

        UNDER_WAY = "under_way"
        DONE = "done"
        FAILED = "failed"

    since = models.DateTimeField()  # what was paid or granted from here on is compared
    until = models.DateTimeField(null=True, blank=True)  # and before this moment; exclusive
    status = models.CharField(max_length=10, choices=Status, default=Status.UNDER_WAY)
    started_at = models.DateTimeField(null=True, blank=True)  # None: no worker has taken it yet
    finished_at = models.DateTimeField(null=True, blank=True)
    compared = models.PositiveIntegerField(default=0)  # payment intents
    opened = models.PositiveIntegerField(default=0)  # cases, with those that came back
    closed = models.PositiveIntegerField(default=0)  # cases that were gone by themselves
    # Sums of what was compared: by currency what Stripe and our payments say was paid and
    # refunded, in minor units; and the credits that payments promise and the ledger granted.
    totals = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )  # None: by the clock

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status="under_way"),
                name="billing_one_reconciliation_at_a_time",
            ),
            models.CheckConstraint(
                name="billing_finished_reconciliation_says_when",
                condition=Q(status="under_way", finished_at=None)
                | Q(status__in=["done", "failed"], finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M} ({self.status})"


class ReconciliationCase(Row):
    """
    One difference about one payment intent, with what each of the three columns says.

    The same difference is the same row however often it is found. A case that is found no
    more is closed by the next run; one that comes back, or that was dismissed with other
    amounts than there are now, is opened again.
    """

    PREFIX = "rcc"

    class Kind(models.TextChoices):
        """What does not agree."""

        PAID_NOT_SETTLED = "paid_not_settled", "Paid at Stripe, not settled here"
        PAYMENT_MISSING = "payment_missing", "Paid at Stripe, no payment here"
        SETTLED_NOT_PAID = "settled_not_paid", "Settled here, not paid at Stripe"
        AMOUNT_DIFFERS = "amount_differs", "Another amount was paid"
        REFUND_DIFFERS = "refund_differs", "Another amount was refunded"
        NOT_GRANTED = "not_granted", "Paid, and credits not granted"
        CREDITS_DIFFER = "credits_differ", "Other credits were granted"
        GRANTED_NOT_PAID = "granted_not_paid", "Granted without a payment"
        NOT_GIVEN_BACK = "not_given_back", "Had to go back, and Stripe refused"

    class Status(models.TextChoices):
        """What became of it."""

        OPEN = "open"
        REPAIRED = "repaired"  # by staff, with an entry
        DISMISSED = "dismissed"  # staff looked, and leave it as it is
        GONE = "gone"  # a later run did not find it any more

    REPAIRABLE = (
        Kind.PAID_NOT_SETTLED,
        Kind.PAYMENT_MISSING,
        Kind.NOT_GRANTED,
        Kind.REFUND_DIFFERS,
    )

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    stripe_payment_intent_id = models.CharField(max_length=255)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="+", null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    # The three columns, money in minor units. None: this column knows nothing of it.
    stripe_amount = models.BigIntegerField(null=True, blank=True)
    stripe_refunded = models.BigIntegerField(null=True, blank=True)
    stripe_currency = models.CharField(max_length=3, blank=True)
    payment_amount = models.BigIntegerField(null=True, blank=True)  # with tax
    payment_refunded = models.BigIntegerField(null=True, blank=True)
    payment_currency = models.CharField(max_length=3, blank=True)
    payment_status = models.CharField(max_length=15, blank=True)
    payment_credits = models.BigIntegerField(null=True, blank=True)
    ledger_credits = models.BigIntegerField(null=True, blank=True)
    first_run = models.ForeignKey(ReconciliationRun, models.PROTECT, related_name="+")
    last_run = models.ForeignKey(ReconciliationRun, models.PROTECT, related_name="+")  # found it
    note = models.TextField(blank=True)  # why staff repaired or dismissed it
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "stripe_payment_intent_id"],
                name="billing_difference_is_one_case",
            ),
            models.CheckConstraint(
                name="billing_case_kind_is_known",
                condition=Q(
                    kind__in=[
                        "paid_not_settled",
                        "payment_missing",
                        "settled_not_paid",
                        "amount_differs",
                        "refund_differs",
                        "not_granted",
                        "credits_differ",
                        "granted_not_paid",
                        "not_given_back",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="billing_closed_case_says_when",
                condition=Q(status="open", closed_at=None)
                | Q(status__in=["repaired", "dismissed", "gone"], closed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="billing_case_closed_by_staff_says_why",
                condition=Q(status__in=["open", "gone"]) | ~Q(note=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["-id"], condition=Q(status="open"), name="billing_cases_to_look_at"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.stripe_payment_intent_id}"

    @property
    def can_be_repaired(self) -> bool:
        """Whether an entry of ours can repair it: it is open, and Stripe says what is missing."""
        return self.status == self.Status.OPEN and self.kind in self.REPAIRABLE

    @property
    def is_of_invoice(self) -> bool:
        """Whether its repair follows an invoice: Stripe made it, so no payment may be here yet."""
        payment = self.payment
        is_invoice = payment is None or payment.purpose == Payment.Purpose.INVOICE
        return is_invoice and self.kind != self.Kind.REFUND_DIFFERS

"""Automatic reload: what an organization agreed to, and how its attempts went."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.billing.models.catalogue import CURRENCY
from apps.billing.models.payments import Payment
from apps.core.models import Mailed
from apps.tenants.models import Organization

MOST_FAILURES = 3  # in a row; then it is over until somebody does something about it


class AutoReload(Mailed):
    """
    The automatic reload of an organization: off until somebody agrees to it.

    Its attempts are payments with the purpose "reload". An attempt is claimed under this row's
    lock, so that whoever comes at the same moment sees what the first one wrote.
    """

    PREFIX = "arl"

    class Mode(models.TextChoices):
        """How much is bought at once."""

        FIXED = "fixed"  # the amount, as many times as it takes to reach the threshold
        UP_TO = "up_to"  # what is missing up to the amount

    class State(models.TextChoices):
        """Whether it may charge at all; what else keeps it from it is found when it is due."""

        READY = "ready"
        PAUSED = "paused"  # the bank wants to see the customer
        SUSPENDED = "suspended"  # the card was declined, for good or too often

    class Reason(models.TextChoices):
        """Why it is paused or suspended."""

        NONE = ""
        ACTION_REQUIRED = "action_required"
        DECLINED = "declined"  # three times in a row
        DECLINED_FOR_GOOD = "declined_for_good"  # the bank's answer will not change
        REFUSED = "refused"  # Stripe did not even try: the card is gone, or cannot be used so

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="+")
    is_enabled = models.BooleanField(default=False)
    mode = models.CharField(max_length=5, choices=Mode, default=Mode.FIXED)
    threshold = models.BigIntegerField()  # credits; below it a reload is due
    amount = models.BigIntegerField()  # credits; see Mode
    monthly_cap = models.BigIntegerField(null=True, blank=True)  # minor units; None: no limit
    currency = models.CharField(max_length=3)  # of the cap and the price
    price = models.BigIntegerField()  # minor units for 1,000 credits, as agreed to
    consent_text = models.TextField(blank=True)  # what was agreed to, word by word
    consented_at = models.DateTimeField(null=True, blank=True)
    consented_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    # False from an attempt on, until there is enough again or the attempt is long over.
    is_armed = models.BooleanField(default=True)
    state = models.CharField(max_length=10, choices=State, default=State.READY)
    reason = models.CharField(max_length=20, choices=Reason, default=Reason.NONE, blank=True)
    consecutive_failures = models.PositiveSmallIntegerField(default=0)
    failed_fingerprint = models.CharField(max_length=255, blank=True)  # of the card that failed
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    back_off_until = models.DateTimeField(null=True, blank=True)
    # The payment that the next mail tells of, or that stopped it; see services.reload_mails.
    news = models.ForeignKey(Payment, models.PROTECT, related_name="+", null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="billing_reload_is_possible",
                condition=Q(threshold__gte=1, amount__gte=10, price__gte=1)
                & (Q(monthly_cap=None) | Q(monthly_cap__gte=1))
                & Q(currency__regex=CURRENCY),
            ),
            models.CheckConstraint(
                name="billing_reload_mode_is_known",
                condition=Q(mode="fixed") | Q(mode="up_to", amount__gte=F("threshold")),
            ),
            models.CheckConstraint(
                name="billing_reload_was_agreed_to",
                condition=Q(is_enabled=False)
                | (~Q(consent_text="") & Q(consented_at__isnull=False, consented_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="billing_reload_says_why_it_stopped",
                condition=Q(state="ready", reason="")
                | Q(state="paused", reason="action_required")
                | Q(state="suspended", reason__in=["declined", "declined_for_good", "refused"]),
            ),
            models.CheckConstraint(
                name="billing_reload_stops_after_three_failures",
                condition=Q(consecutive_failures__lt=MOST_FAILURES)
                | Q(consecutive_failures=MOST_FAILURES, state__in=["paused", "suspended"]),
            ),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(
                fields=["id"], condition=Q(is_enabled=True), name="billing_reloads_enabled"
            ),
        ]

    def __str__(self) -> str:
        return f"below {self.threshold}: {self.mode} {self.amount}"

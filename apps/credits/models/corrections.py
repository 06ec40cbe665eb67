"""Corrections: what staff do to a wallet by hand, with a reason, and who agreed."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.core.models import Row
from apps.credits.models.wallets import Wallet
from apps.tenants.models import Organization


class Correction(Row):
    """
    A change of one wallet by a member of staff, posted at once or after a second one agreed.

    What it moved is found in the ledger under its `reference`. A pending one that nobody
    decided by `expires_at` can no longer be posted.
    """

    PREFIX = "cor"

    class Action(models.TextChoices):
        """What is done."""

        GRANT = "grant"
        DEDUCT = "deduct"
        VOID = "void"
        CHANGE_EXPIRY = "change_expiry"

    class Reason(models.TextChoices):
        """Why, in a word that reports can count."""

        GOODWILL = "goodwill"
        SERVICE_FAILURE = "service_failure"
        BILLING_ERROR = "billing_error"
        MIGRATION = "migration"
        FRAUD = "fraud"
        CONTRACT = "contract"
        OTHER = "other"

    class Status(models.TextChoices):
        """How far it has come; all but the first are final."""

        PENDING = "pending"
        POSTED = "posted"
        REJECTED = "rejected"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+")
    action = models.CharField(max_length=20, choices=Action)
    terms = models.JSONField()  # what the action needs: amount, kind, lot, dates
    amount = models.BigIntegerField()  # credits that it is about; the limit is measured by it
    reason = models.CharField(max_length=20, choices=Reason)
    note = models.TextField(blank=True)
    ticket = models.CharField(max_length=200, blank=True)  # where the case is told
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    needs_second_person = models.BooleanField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True)  # of who decided
    expires_at = models.DateTimeField()  # exclusive; until then it may be decided

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="credits_maker_is_not_checker",
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
            ),
            models.CheckConstraint(
                name="credits_decision_has_somebody",
                condition=Q(status="pending", decided_by=None)
                | Q(status="posted", needs_second_person=False)
                | Q(status__in=["posted", "rejected"], decided_by__isnull=False),
            ),
            models.CheckConstraint(
                name="credits_correction_action_is_known",
                condition=Q(action__in=["grant", "deduct", "void", "change_expiry"]),
            ),
            models.CheckConstraint(
                name="credits_correction_is_about_credits", condition=Q(amount__gt=0)
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(status="pending"),
                name="credits_pending_corrections",
            ),
            models.Index(
                fields=["organization", "-created_at", "-id"], name="credits_corrections_of_tenant"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.amount} ({self.status})"

    @property
    def reference(self) -> str:
        """The cause under which the ledger knows it."""
        return f"correction:{self.public_id}"

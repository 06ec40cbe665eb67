"""Holds: credits set aside until it is known what something costs."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.core.models import Row
from apps.credits.models.prices import CreditEvent
from apps.credits.models.wallets import Wallet
from apps.tenants.models import Organization


class Hold(Row):
    """
    Credits moved out of their lots for a while: then captured, released, or expired.

    Its movements carry its reference: `held` when it was placed, `released` for what came
    back. The end is final, and the terms never change, except that it may live longer.
    """

    PREFIX = "hold"

    class Status(models.TextChoices):
        """How far it has come; all but the first are final."""

        HELD = "held"
        CAPTURED = "captured"
        RELEASED = "released"
        EXPIRED = "expired"

    class Policy(models.TextChoices):
        """What happens when more is captured than was held."""

        REJECT = "reject"  # the capture is refused
        CAP = "cap"  # as much as was held is captured
        OVERFLOW = "overflow"  # the excess is charged

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+")
    reference = models.CharField(max_length=200)
    amount = models.BigIntegerField()  # credits
    captured = models.BigIntegerField(default=0)  # credits, with what overflowed
    status = models.CharField(max_length=10, choices=Status, default=Status.HELD)
    policy = models.CharField(max_length=10, choices=Policy, default=Policy.REJECT)
    expires_at = models.DateTimeField()  # exclusive
    credit_event = models.ForeignKey(
        CreditEvent, models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    features = ArrayField(  # name and category of the event, for lots that ask
        models.CharField(max_length=100), default=list, blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wallet", "reference"], name="credits_one_hold_per_reference"
            ),
            models.CheckConstraint(
                name="credits_hold_sets_something_aside", condition=Q(amount__gt=0)
            ),
            models.CheckConstraint(
                name="credits_hold_status_is_known",
                condition=Q(status__in=["held", "captured", "released", "expired"]),
            ),
            models.CheckConstraint(
                name="credits_hold_policy_is_known",
                condition=Q(policy__in=["reject", "cap", "overflow"]),
            ),
            models.CheckConstraint(
                name="credits_captured_fits_the_hold",
                condition=Q(status="captured", captured__gt=0, captured__lte=F("amount"))
                | Q(status="captured", policy="overflow", captured__gt=0)
                | (~Q(status="captured") & Q(captured=0)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["wallet", "expires_at"],
                condition=Q(status="held"),
                name="credits_open_holds_of_wallet",
            ),
            models.Index(
                fields=["expires_at"], condition=Q(status="held"), name="credits_holds_by_expiry"
            ),
            models.Index(
                fields=["organization", "-created_at", "-id"], name="credits_holds_of_tenant"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.amount} {self.reference}"

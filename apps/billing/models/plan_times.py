"""Time of a plan that ends by itself: bought as a pass, or given by staff."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.billing.models.catalogue import PlanVersion
from apps.billing.models.payments import Payment
from apps.billing.models.subscriptions import OrganizationSubscription
from apps.core.models import Row
from apps.tenants.models import Organization

DAY = 86_400  # seconds


class PlanTime(Row):
    """
    Days of a plan for an organization. Those of one subscription follow one another.

    A subscription that is limited ends when all its time is over: at its start, and all
    seconds of its times that were not taken back after it.
    """

    PREFIX = "ptm"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="+")
    subscription = models.ForeignKey(
        OrganizationSubscription, models.PROTECT, related_name="times", null=True, blank=True
    )  # None: it waits until the plan that is there has ended
    payment = models.OneToOneField(
        Payment, models.PROTECT, related_name="+", null=True, blank=True
    )  # None: staff gave it
    days = models.PositiveIntegerField()
    seconds_taken = models.BigIntegerField(default=0)  # with the money that went back
    credits = models.BigIntegerField(default=0)  # given with it; of a pass, see the payment
    credits_end_at = models.DateTimeField()  # exclusive; when the credits that came with it expire
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )  # who gave it
    reason = models.TextField(blank=True)  # why it was given

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="billing_plan_time_is_possible",
                condition=Q(
                    days__gt=0,
                    credits__gte=0,
                    seconds_taken__gte=0,
                    seconds_taken__lte=F("days") * DAY,
                ),
            ),
            models.CheckConstraint(
                name="billing_plan_time_was_bought_or_given",
                condition=Q(payment=None) | Q(user=None, reason="", credits=0),
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="billing_times_of_tenant"),
            models.Index(
                fields=["created_at"],
                condition=Q(subscription=None),
                name="billing_times_that_wait",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.days} days of {self.version}"

    @property
    def seconds(self) -> int:
        """How long it was when it came, in seconds."""
        return self.days * DAY

    @property
    def length(self) -> timedelta:
        """How long it is, without what was taken back."""
        return timedelta(seconds=self.seconds - self.seconds_taken)

"""Subscriptions: which plan an organization has, and until when."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.billing.models.catalogue import PlanVersion
from apps.core.models import Row
from apps.tenants.models import Organization


class OrganizationSubscription(Row):
    """
    One subscription of an organization to a version of a plan, from its start to its end.

    An organization has at most one that works, and at most one beside it that waits for its
    first payment; what is over stays as history. Those of a paid plan that renews are
    Stripe's as well, and follow what Stripe says of them; the others are ours alone: a free
    plan, and what is limited, which is a pass or a plan that staff gave for some days.
    """

    PREFIX = "osub"

    class Status(models.TextChoices):
        """How far it has come; the last two are final."""

        INCOMPLETE = "incomplete"  # the first payment is under way
        TRIAL = "trial"
        ACTIVE = "active"
        PAST_DUE = "past_due"  # a payment failed; the plan works until grace ends
        PAUSED = "paused"
        CANCELLED = "cancelled"
        EXPIRED = "expired"

    OVER = (Status.CANCELLED, Status.EXPIRED)

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=12, choices=Status)
    is_limited = models.BooleanField(default=False)  # ends by itself; see PlanTime
    stripe_subscription_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    current_period_start = models.DateTimeField(null=True, blank=True)
    current_period_end = models.DateTimeField(null=True, blank=True)  # exclusive
    anchored_at = models.DateTimeField(null=True, blank=True)  # a free plan's periods count from it
    trial_end = models.DateTimeField(null=True, blank=True)  # exclusive
    cancel_at_period_end = models.BooleanField(default=False)
    cancelled_at = models.DateTimeField(null=True, blank=True)  # when that was asked for
    cancel_reason = models.TextField(blank=True)
    past_due_since = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # What it changes to at the end of the period: a downgrade that was asked for, or the free
    # plan that a limited one took the place of.
    next_version = models.ForeignKey(
        PlanVersion, models.PROTECT, related_name="+", null=True, blank=True
    )
    next_quantity = models.PositiveIntegerField(null=True, blank=True)
    stripe_schedule_id = models.CharField(max_length=255, blank=True)
    stripe_session_id = models.CharField(max_length=255, blank=True)
    pay_url = models.TextField(blank=True)  # Stripe's page, until the first payment
    # What Stripe was asked for, word by word: one key must never come with another question.
    question = models.JSONField(null=True, blank=True, editable=False)
    asked_at = models.DateTimeField(null=True, blank=True)  # when what stands here was asked for

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=~Q(status__in=["cancelled", "expired", "incomplete"]),
                name="billing_organization_has_one_subscription",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(status="incomplete"),
                name="billing_organization_begins_one_subscription",
            ),
            models.CheckConstraint(
                name="billing_limited_subscription_is_ours_alone",
                condition=Q(is_limited=False)
                | Q(stripe_subscription_id=None, current_period_end__isnull=False),
            ),
            models.CheckConstraint(
                name="billing_subscription_status_is_known",
                condition=Q(
                    status__in=[
                        "incomplete",
                        "trial",
                        "active",
                        "past_due",
                        "paused",
                        "cancelled",
                        "expired",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="billing_ended_subscription_says_when",
                condition=Q(status__in=["cancelled", "expired"], ended_at__isnull=False)
                | (~Q(status__in=["cancelled", "expired"]) & Q(ended_at=None)),
            ),
            models.CheckConstraint(
                name="billing_period_ends_after_it_begins",
                condition=Q(current_period_end=None)
                | Q(current_period_end__gt=F("current_period_start")),
            ),
            models.CheckConstraint(
                name="billing_subscription_has_a_quantity", condition=Q(quantity__gt=0)
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="billing_subs_of_tenant"),
            models.Index(
                fields=["current_period_end"],
                condition=~Q(status__in=["cancelled", "expired"]),
                name="billing_subs_by_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization}: {self.version} ({self.status})"

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        return self.status in self.OVER


class SubscriptionChange(Row):
    """
    One thing that was asked of a subscription, written down before Stripe is asked for it.

    Its id is the idempotency key of the question, so that a lost answer is asked for again.
    For a change of plan it says what it does to the credits of the period, once it is paid.
    """

    PREFIX = "schg"

    class Kind(models.TextChoices):
        """What was asked for."""

        CANCEL = "cancel"  # end with the period
        NOW = "now"  # another plan or quantity, at once
        LATER = "later"  # the same, from the next period on
        UNDO = "undo"  # neither end nor change
        PAUSE = "pause"
        RESUME = "resume"
        TRIAL = "trial"  # a longer trial, by staff
        END = "end"  # at once: it was not paid, and its grace is over

    class Status(models.TextChoices):
        """How far it has come; the last two are final."""

        ASKED = "asked"
        ACCEPTED = "accepted"  # Stripe did it
        REFUSED = "refused"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    subscription = models.ForeignKey(
        OrganizationSubscription, models.PROTECT, related_name="changes"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    status = models.CharField(max_length=10, choices=Status, default=Status.ASKED)
    version = models.ForeignKey(
        PlanVersion, models.PROTECT, related_name="+", null=True, blank=True
    )
    quantity = models.PositiveIntegerField(null=True, blank=True)
    old_version = models.ForeignKey(
        PlanVersion, models.PROTECT, related_name="+", null=True, blank=True
    )
    old_quantity = models.PositiveIntegerField(null=True, blank=True)
    moment = models.DateTimeField(null=True, blank=True)  # of the proration; the trial's new end
    reason = models.TextField(blank=True)
    error = models.TextField(blank=True)  # why Stripe refused
    stripe_invoice_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    credits_taken = models.BigIntegerField(default=0)  # out of the period's lots
    credits_given = models.BigIntegerField(default=0)
    posted_at = models.DateTimeField(null=True, blank=True)  # when the credits were moved
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(status="asked"),
                name="billing_one_change_of_a_subscription_at_a_time",
            ),
            models.CheckConstraint(
                name="billing_change_is_known",
                condition=Q(
                    kind__in=["now", "later", "cancel", "undo", "pause", "resume", "trial", "end"],
                    status__in=["asked", "accepted", "refused"],
                ),
            ),
            models.CheckConstraint(
                name="billing_change_of_plan_names_both",
                condition=~Q(kind__in=["now", "later"])
                | Q(
                    version__isnull=False,
                    quantity__gt=0,
                    old_version__isnull=False,
                    old_quantity__gt=0,
                ),
            ),
            models.CheckConstraint(
                name="billing_change_moves_credits_when_accepted",
                condition=Q(posted_at=None, credits_taken=0, credits_given=0)
                | Q(
                    posted_at__isnull=False,
                    status="accepted",
                    kind="now",
                    credits_taken__gte=0,
                    credits_given__gte=0,
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["subscription", "-created_at"], name="billing_changes_of_plan"),
            models.Index(
                fields=["created_at"],
                condition=Q(status="asked"),
                name="billing_changes_to_resume",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.status})"

"""What is sold: plans and packs of credits, each with versions that never change."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.models import Row
from apps.core.walls import Wall

READ_BY_ALL = Wall(whose="", web="SELECT")  # staff write it, in the back office
CURRENCY = r"^[a-z]{3}$"  # ISO 4217, lower case as Stripe writes it


class AtStripe(models.Model):
    """What was found when it was last compared with its copy at Stripe."""

    compared_at = models.DateTimeField(null=True, blank=True)
    differences = models.JSONField(default=list, blank=True)  # sentences, for people

    class Meta:
        abstract = True


class SubscriptionPlan(AtStripe, Row):
    """A plan that organizations subscribe to. What it gives and costs is in its versions."""

    PREFIX = "plan"
    WALL = READ_BY_ALL

    code = models.SlugField(max_length=50, unique=True)  # free, pass-7-days, property, pro
    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)  # in lists; higher is an upgrade
    is_active = models.BooleanField(default=True)  # offered to new subscribers
    stripe_product_id = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_product_id"],
                condition=~Q(stripe_product_id=""),
                name="billing_plan_has_its_own_product",
            )
        ]

    def __str__(self) -> str:
        return self.name


class PlanVersion(Row):
    """
    What a plan gives and costs from a day on. Those who subscribed to it keep it.

    A plan is a subscription that renews each `interval`, or a pass that ends after
    `interval_count` days and is paid once. One without a price needs no Stripe at all.
    """

    PREFIX = "plv"
    WALL = READ_BY_ALL

    class Interval(models.TextChoices):
        """How long a period is, together with `interval_count`."""

        MONTH = "month"
        YEAR = "year"
        PASS = "pass"  # noqa: S105  days, and no renewal

    plan = models.ForeignKey(SubscriptionPlan, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    effective_at = models.DateTimeField(db_default=Now())
    price = models.BigIntegerField()  # minor units of the currency for one period, and one unit
    currency = models.CharField(max_length=3)
    interval = models.CharField(max_length=10, choices=Interval)
    interval_count = models.PositiveSmallIntegerField(default=1)  # days for a pass
    included_credits = models.BigIntegerField(default=0)  # for one period, and one unit
    rollover_cap = models.BigIntegerField(default=0)  # credits that the next period gets at most
    max_users = models.PositiveIntegerField(null=True, blank=True)  # None: no limit
    has_quantity = models.BooleanField(default=False)  # bought for a number of units (properties)
    trial_days = models.PositiveSmallIntegerField(default=0)
    features = models.JSONField(default=dict, blank=True)  # see services/plan_features.py
    stripe_price_id = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["plan", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "number"], name="billing_plan_version_has_no_twin"
            ),
            models.UniqueConstraint(
                fields=["stripe_price_id"],
                condition=~Q(stripe_price_id=""),
                name="billing_plan_version_has_its_own_price",
            ),
            models.CheckConstraint(
                name="billing_plan_version_is_possible",
                condition=Q(price__gte=0)
                & Q(included_credits__gte=0)
                & Q(rollover_cap__gte=0)
                & Q(interval_count__gt=0)
                & Q(currency__regex=CURRENCY)
                & Q(interval__in=["month", "year", "pass"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"

    @property
    def is_pass(self) -> bool:
        """Whether it ends by itself instead of renewing."""
        return self.interval == self.Interval.PASS


class CreditProduct(AtStripe, Row):
    """A pack of credits that is bought once, as often as one likes."""

    PREFIX = "prod"
    WALL = READ_BY_ALL

    code = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    stripe_product_id = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_product_id"],
                condition=~Q(stripe_product_id=""),
                name="billing_pack_has_its_own_product",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ProductVersion(Row):
    """What a pack holds and costs from a day on. What was bought keeps its terms."""

    PREFIX = "prv"
    WALL = READ_BY_ALL

    product = models.ForeignKey(CreditProduct, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    effective_at = models.DateTimeField(db_default=Now())
    credits = models.BigIntegerField()  # paid for
    bonus_credits = models.BigIntegerField(default=0)  # given with them
    price = models.BigIntegerField()  # minor units of the currency
    currency = models.CharField(max_length=3)
    valid_days = models.PositiveIntegerField(null=True, blank=True)  # None: they do not expire
    stripe_price_id = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["product", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "number"], name="billing_product_version_has_no_twin"
            ),
            models.UniqueConstraint(
                fields=["stripe_price_id"],
                condition=~Q(stripe_price_id=""),
                name="billing_product_version_has_its_own_price",
            ),
            models.CheckConstraint(
                name="billing_product_version_is_possible",
                condition=Q(price__gt=0)
                & Q(credits__gt=0)
                & Q(bonus_credits__gte=0)
                & Q(currency__regex=CURRENCY),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} v{self.number}"

    @property
    def all_credits(self) -> int:
        """Credits that the buyer gets."""
        return self.credits + self.bonus_credits

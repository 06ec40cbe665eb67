"""Why credits are handed on: campaigns with a budget, and rules that award by themselves."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.core.models import Row
from apps.core.walls import Wall
from apps.partners.models.partners import OPEN_TO_ME, Partner
from apps.tenants.models import Organization


class Campaign(Row):
    """
    Awards that belong together: within a window, and within a budget.

    `awarded` counts what was ever awarded in it, and is written under this row's lock. What
    comes back does not open the budget again.
    """

    PREFIX = "pcm"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=100)
    budget = models.BigIntegerField()  # credits
    awarded = models.BigIntegerField(default=0)  # credits
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)  # exclusive
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "name"], name="partners_campaign_has_its_name"
            ),
            models.CheckConstraint(
                name="partners_campaign_stays_in_its_budget",
                condition=Q(budget__gt=0, awarded__gte=0, awarded__lte=F("budget")),
            ),
            models.CheckConstraint(
                name="partners_campaign_ends_after_it_begins",
                condition=Q(ends_at=None) | Q(ends_at__gt=F("begins_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AwardRule(Row):
    """Everyone with a verified address at a domain gets so many credits, once."""

    PREFIX = "par"
    # Whom it is for looks from outside: he belongs to the organization only once he has joined.
    WALL = Wall(also_read=f"id = ANY({OPEN_TO_ME})")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="rules")
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="+", null=True, blank=True)
    domain = models.CharField(max_length=253)  # in lower case: example.com
    credits = models.BigIntegerField()
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True, blank=True
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "domain"],
                condition=Q(is_active=True),
                name="partners_one_active_rule_per_domain",
            ),
            models.CheckConstraint(
                name="partners_rule_awards_something", condition=Q(credits__gt=0)
            ),
        ]
        indexes = [
            models.Index(
                fields=["domain"], condition=Q(is_active=True), name="partners_rules_by_domain"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.domain} {self.credits}"

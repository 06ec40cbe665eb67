"""Customers: organizations as Stripe knows them."""

from django.db import models

from apps.core.models import Row
from apps.tenants.models import Organization


class Customer(Row):
    """
    The customer that an organization is at Stripe, and the card that it pays with there.

    Stripe's events find their organization by `stripe_id`, and by nothing else. Money that
    belongs together is handled under this row's lock, before any wallet's.
    """

    PREFIX = "bcus"

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="+")
    # Empty from the moment at which it is asked for until Stripe's answer is written down.
    stripe_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    is_live = models.BooleanField()
    payment_method_id = models.CharField(max_length=255, blank=True)
    card_fingerprint = models.CharField(max_length=255, blank=True)
    card_brand = models.CharField(max_length=30, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    card_exp_month = models.PositiveSmallIntegerField(null=True, blank=True)
    card_exp_year = models.PositiveSmallIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return self.stripe_id or f"{self.organization} (not at Stripe yet)"

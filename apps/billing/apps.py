"""Start-up of billing."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Plans, payments and all that knows Stripe."""

    name = "apps.billing"
    label = "billing"

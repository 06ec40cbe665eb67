"""Links of the staff pages of billing: to a payment here, and to what Stripe itself shows."""

from django.urls import reverse

from apps.billing.models import Payment
from apps.credits.admin.base import link

STRIPE = "https://dashboard.stripe.com"


def payment_link(payment: Payment) -> str:
    """Link to a payment's own page."""
    return link(reverse("admin:billing_payment_change", args=[payment.pk]), payment.public_id)


def at_stripe(kind: str, stripe_id: str, *, is_live: bool) -> str:
    """Link to Stripe's own page of an object; `kind` is its word there (`payments`, `disputes`)."""
    mode = "" if is_live else "/test"
    return link(f"{STRIPE}{mode}/{kind}/{stripe_id}", stripe_id)

"""What `manage.py check --deploy` says of billing."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

GUIDE = "docs/guides/billing.md says how."


@register(deploy=True)
def stripe_is_configured(**details: Any) -> list[CheckMessage]:
    """Report what is missing before anybody can pay."""
    found: list[CheckMessage] = []
    if not settings.STRIPE_SECRET_KEY:
        text = "Billing is not configured: STRIPE_SECRET_KEY is empty, so nothing can be bought."
        found.append(Error(text, hint=f"Set it. {GUIDE}", id="billing.E001"))
    elif not settings.STRIPE_WEBHOOK_SECRETS:
        text = "STRIPE_WEBHOOK_SECRETS is empty, so nothing that Stripe tells is believed."
        found.append(Error(text, hint=f"Set the endpoint's secret. {GUIDE}", id="billing.E002"))
    return found

"""What credits does when it hears news from below."""

from typing import Any

from django.dispatch import receiver

from apps.credits.services import grants, wallets
from apps.tenants.models import Organization
from apps.tenants.signals import organization_created


@receiver(organization_created)
def open_wallet_with_trial(organization: Organization, **kwargs: Any) -> None:
    """Give a new organization its wallet and trial, in the transaction that creates it."""
    grants.grant_trial(wallet=wallets.open_main_wallet(organization=organization))

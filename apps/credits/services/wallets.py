"""Open wallets."""

from django.db import transaction

from apps.credits.models import Wallet
from apps.tenants.models import Organization


@transaction.atomic
def open_main_wallet(*, organization: Organization) -> Wallet:
    """Give an organization the wallet that it has from birth; the same one when repeated."""
    wallet, _ = Wallet.objects.get_or_create(
        organization=organization, kind=Wallet.Kind.ORGANIZATION
    )
    return wallet

"""Wallets, and what they hold."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Sum

from apps.core.errors import NotFound
from apps.credits.models import Wallet
from apps.credits.selectors.lots import open_lots
from apps.tenants.models import Organization


@dataclass(frozen=True)
class Balance:
    """What a wallet holds, in credits, at one moment."""

    available: int
    held: int
    expiring_amount: int = 0
    expiring_at: datetime | None = None


def main_wallet(organization: Organization) -> Wallet:
    """
    Return the wallet that the organization has from birth.

    :raises NotFound: if it has none yet.
    """
    wallet = Wallet.objects.filter(organization=organization, kind=Wallet.Kind.ORGANIZATION).first()
    if wallet is None:
        raise NotFound
    return wallet


def balance_of(wallet: Wallet) -> Balance:
    """Return what can be spent now, what is held, and what expires first."""
    by_expiry = list(
        open_lots(wallet)
        .values("expires_at")
        .annotate(amount=Sum("remaining"))
        .order_by(F("expires_at").asc(nulls_last=True))
    )
    held = Wallet.objects.values_list("held", flat=True).get(pk=wallet.pk)
    available = sum(row["amount"] for row in by_expiry)
    if not by_expiry or by_expiry[0]["expires_at"] is None:
        return Balance(available=available, held=held)
    first = by_expiry[0]
    return Balance(available, held, first["amount"], first["expires_at"])

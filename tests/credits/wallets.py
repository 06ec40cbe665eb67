"""Wallets with credits in them, for races, figures and measurements."""

from uuid import UUID

from apps.core import ids
from apps.credits.models import Lot, Wallet
from apps.credits.services.grants import grant_credits
from tests.people import make_organization


def make_wallets(count: int, *, credits: int) -> list[UUID]:
    """Return so many fresh wallets, each with so many purchased credits."""
    return [make_wallet(credits=credits).id for _ in range(count)]


def make_wallet(*, credits: int) -> Wallet:
    """Return a fresh wallet with so many purchased credits, and nothing else."""
    wallet = Wallet.objects.create(organization=make_organization(), kind=Wallet.Kind.MEMBER)
    grant_credits(
        wallet=wallet,
        amount=credits,
        kind=Lot.Kind.PURCHASE,
        reference=f"paid:{ids.new_id()}",
        source="test",
    )
    return wallet

"""Close the wallets of an organization that closes, and open them when that is undone."""

from datetime import datetime

from django.db import transaction

from apps.credits.models import Wallet
from apps.credits.services.wallets import change_status
from apps.tenants.models import Organization

CLOSED = "The organization is closed"
REOPENED = "The organization is open again"


@transaction.atomic
def close_wallets(*, organization: Organization) -> None:
    """
    Close every wallet of an organization; what is in them stays there until it expires.

    :raises WalletHasHolds: if credits of one of them are held.
    :raises WalletInDebt: if credits are owed in one of them.
    """
    for wallet in _in_lock_order(organization):
        if wallet.closed_at is None:
            change_status(wallet=wallet, reason=CLOSED, is_closed=True)


@transaction.atomic
def reopen_wallets(*, organization: Organization, closed_at: datetime) -> None:
    """Open the wallets that were closed at that moment or later; others were closed by staff."""
    for wallet in _in_lock_order(organization):
        if wallet.closed_at is not None and wallet.closed_at >= closed_at:
            change_status(wallet=wallet, reason=REOPENED, is_closed=False)


def _in_lock_order(organization: Organization) -> list[Wallet]:
    """Return all wallets by id: each is locked in its turn, in the order of the ledger."""
    return list(Wallet.objects.filter(organization=organization).order_by("id"))

"""Close the wallets of an organization that closes, and open them when that is undone."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from apps.core import ids
from apps.core.db import inside_transaction
from apps.core.errors import DomainError
from apps.credits.ledger.commands import ChangeStatus
from apps.credits.ledger.posting import post
from apps.credits.models import Wallet
from apps.tenants.models import Organization
from apps.tenants.services.audit import record

CLOSED = "The organization is closed"
REOPENED = "The organization is open again"


@transaction.atomic
def close_wallets(*, organization: Organization) -> None:
    """
    Close every wallet of an organization; what is in them stays there until it expires.

    However many members it has, they are posted together, with one audit row.

    :raises WalletHasHolds: if credits of one of them are held.
    :raises WalletInDebt: if credits are owed in one of them.
    """
    _change(organization, Q(closed_at=None), is_closed=True)


@transaction.atomic
def reopen_wallets(*, organization: Organization, closed_at: datetime) -> None:
    """Open the wallets that were closed at that moment or later; others were closed by staff."""
    _change(organization, Q(closed_at__gte=closed_at), is_closed=False)


@inside_transaction
def _change(organization: Organization, which: Q, *, is_closed: bool) -> None:
    """
    Change all of these wallets or none. The ledger locks them, in its own order.

    One that staff close or reopen in the same moment is as it shall be already, and stays so.
    """
    wallets = Wallet.objects.filter(which, organization=organization).values_list("id", flat=True)
    cause = f"status:{ids.new_id()}"
    commands = [
        ChangeStatus(wallet_id=one, reference=cause, source="organization", is_closed=is_closed)
        for one in wallets
    ]
    if not commands:
        return
    for outcome in post(commands):
        if isinstance(outcome, DomainError):
            raise outcome
    record(
        action="wallets.closed" if is_closed else "wallets.reopened",
        organization=organization,
        object_id=organization.public_id,
        after={"wallets": len(commands)},
        reason=CLOSED if is_closed else REOPENED,
    )

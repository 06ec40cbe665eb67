"""Open wallets, lock them, and say what they may do."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from apps.core import ids
from apps.core.db import inside_transaction, one_trip
from apps.credits.ledger import rows
from apps.credits.ledger.commands import ChangeStatus, Command, SetCreditLine
from apps.credits.ledger.posting import post_one
from apps.credits.models import Wallet
from apps.tenants.models import Organization
from apps.tenants.services.audit import record


@transaction.atomic
def open_main_wallet(*, organization: Organization) -> Wallet:
    """Give an organization the wallet that it has from birth; the same one when repeated."""
    wallet, _ = Wallet.objects.get_or_create(
        organization=organization, kind=Wallet.Kind.ORGANIZATION
    )
    return wallet


@inside_transaction
def lock_wallets(wallet_ids: Collection[UUID]) -> None:
    """
    Lock wallets in the order in which everybody does, before more than one posting to them.

    Each posting locks its own in this order; a second one, of others, would break it.
    """
    with one_trip() as ask:
        rows.lock_wallets(ask, list(wallet_ids))


@transaction.atomic
def change_status(
    *,
    wallet: Wallet,
    reason: str,
    is_frozen: bool | None = None,
    is_closed: bool | None = None,
) -> None:
    """
    Freeze or thaw a wallet, close or reopen it; what is None stays.

    Frozen: credits come in and are refunded, and do not leave. Closed: nothing moves, but
    lots expire.

    :raises WalletHasHolds: if it shall be closed while credits are held.
    :raises WalletInDebt: if it shall be closed while credits are owed.
    """
    command = ChangeStatus(
        wallet_id=wallet.id,
        reference=f"status:{ids.new_id()}",
        source="staff",
        is_frozen=is_frozen,
        is_closed=is_closed,
    )
    _change(wallet, "wallet.status_changed", command, reason)


@transaction.atomic
def set_credit_line(*, wallet: Wallet, limit: int, reason: str) -> None:
    """
    Let the wallet owe up to `limit` credits; 0 is none.

    :raises InvalidTerms: if it is below 0, or beyond all reason.
    :raises WalletInDebt: if more is owed already.
    """
    command = SetCreditLine(
        wallet_id=wallet.id, reference=f"line:{ids.new_id()}", source="staff", limit=limit
    )
    _change(wallet, "wallet.credit_line_set", command, reason)


@transaction.atomic
def change_terms(
    *,
    wallet: Wallet,
    reason: str,
    is_frozen: bool | None = None,
    is_closed: bool | None = None,
    credit_line: int | None = None,
) -> None:
    """
    Change status and credit line together, or not at all; what is None stays.

    Raises what `change_status` and `set_credit_line` do.
    """
    if credit_line is not None:
        set_credit_line(wallet=wallet, limit=credit_line, reason=reason)
    if (is_frozen, is_closed) != (None, None):
        change_status(wallet=wallet, reason=reason, is_frozen=is_frozen, is_closed=is_closed)


def _change(wallet: Wallet, action: str, command: Command, reason: str) -> None:
    """Post under the lock, and write down what it was before and is now."""
    wallet = Wallet.objects.select_for_update(no_key=True).get(pk=wallet.pk)
    before = _terms(wallet)
    post_one(command)
    wallet.refresh_from_db()
    if before != _terms(wallet):
        record(
            action=action,
            organization=wallet.organization,
            object_id=wallet.public_id,
            before=before,
            after=_terms(wallet),
            reason=reason,
        )


def _terms(wallet: Wallet) -> dict[str, object]:
    return {
        "is_frozen": wallet.frozen_at is not None,
        "is_closed": wallet.closed_at is not None,
        "credit_line": wallet.credit_line,
    }

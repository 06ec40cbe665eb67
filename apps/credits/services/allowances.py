"""Begin a cycle of a recurring allowance."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import RenewAllowance
from apps.credits.ledger.posting import POST, Mode, post_one
from apps.credits.models import Lot, Wallet


@transaction.atomic
def renew_allowance(
    *,
    wallet: Wallet,
    amount: int,
    expires_at: datetime,
    reference: str,
    source: str,
    source_id: str = "",
    ended: Lot | None = None,
    rollover_cap: int = 0,
    rollover_floor: int = 0,
    rollover_expires_at: datetime | None = None,
    unit_cost: Decimal = Decimal(0),
    currency: str = "",
    description: str = "",
    mode: Mode = POST,
) -> Outcome:
    """
    Grant a cycle's allowance of `amount` credits until `expires_at`, once per reference.

    Of the `ended` cycle's lot, min(cap, max(left, floor)) credits are carried over, into a
    lot that burns before the new one. The reference names the cycle, so that it is made of
    the subscription and the beginning of the period. No other lot is touched.

    :raises CycleNotOver: if the ended lot still lives.
    :raises CycleRenewed: if it was carried over to another cycle.
    :raises LotNotFound: if the wallet has no such lot.
    :raises LotExpiresTooEarly: if the new cycle ends in the past.
    :raises ReferenceReused: if the reference stands for another allowance.
    :raises WalletClosed: if the wallet is closed.
    """
    return post_one(
        RenewAllowance(
            wallet_id=wallet.id,
            reference=reference,
            source=source,
            source_id=source_id,
            description=description,
            amount=amount,
            expires_at=expires_at,
            ended_lot_id=ended.id if ended else None,
            rollover_cap=rollover_cap,
            rollover_floor=rollover_floor,
            rollover_expires_at=rollover_expires_at,
            unit_cost=unit_cost,
            currency=currency,
        ),
        mode,
    )

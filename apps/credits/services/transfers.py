"""Move credits between wallets."""

from datetime import datetime

from django.db import transaction

from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Transfer
from apps.credits.ledger.posting import POST, Mode, post_one
from apps.credits.models import Lot, Wallet
from apps.tenants.services.audit import record


@transaction.atomic
def transfer_credits(
    *,
    wallet: Wallet,
    target: Wallet,
    amount: int,
    reference: str,
    source: str,
    source_id: str = "",
    kind: Lot.Kind | None = None,
    expires_at: datetime | None = None,
    description: str = "",
    mode: Mode = POST,
) -> Outcome:
    """
    Move credits to another wallet, in one transaction, once per reference.

    They arrive as lots of `kind`, or of the kind that they were. These keep their cash per
    credit, and end with the lots they came from or at `expires_at`, whichever is earlier.

    :raises InsufficientCredits: if the lots that are open to every event do not cover it.
    :raises InvalidAmount: if the amount is no whole number above zero.
    :raises InvalidTerms: if both wallets are one.
    :raises LotExpiresTooEarly: if the credits would be dead on arrival.
    :raises ReferenceReused: if the reference stands for something else.
    :raises WalletFrozen: if nothing may leave the wallet.
    :raises WalletClosed: if one of the wallets is closed.
    """
    outcome = post_one(
        Transfer(
            wallet_id=wallet.id,
            target_id=target.id,
            reference=reference,
            source=source,
            source_id=source_id,
            description=description,
            amount=amount,
            kind=kind.value if kind else None,
            expires_at=expires_at,
        ),
        mode,
    )
    if not outcome.is_replayed and not mode.is_dry_run:
        record(
            action="credits.transferred",
            organization=wallet.organization,
            object_id=wallet.public_id,
            after={"target": target.public_id, "amount": amount, "reference": reference},
        )
    return outcome

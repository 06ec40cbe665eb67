"""Move credits between wallets, and call back what was not used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.core.errors import DomainError
from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Command, Transfer
from apps.credits.ledger.posting import POST, Mode, post, post_one
from apps.credits.ledger.returning import Recall
from apps.credits.models import Lot, Wallet
from apps.tenants.services.audit import record


@dataclass(frozen=True, kw_only=True)
class TransferRequest:
    """Credits for one wallet, among many that are given out together."""

    target_id: UUID
    amount: int
    reference: str
    source_id: str = ""
    kind: Lot.Kind | None = None  # as they were, if None
    expires_at: datetime | None = None  # at the latest
    returns: bool = False
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class RecallRequest:
    """Lots of one wallet, among many that are recalled together."""

    wallet_id: UUID
    lot_ids: Sequence[UUID]
    reference: str
    amount: int | None = None  # all that remains, if None
    source_id: str = ""
    description: str = ""


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
    returns: bool = False,
    description: str = "",
    mode: Mode = POST,
) -> Outcome:
    """
    Move credits to another wallet, in one transaction, once per reference.

    They arrive as lots of `kind`, or of the kind that they were. These keep their cash per
    credit, and end with the lots they came from or at `expires_at`, whichever is earlier. If
    it `returns`, what is not used is recalled to those lots, and is not written off before.

    :raises InsufficientCredits: if the lots that are open to every event, and return to no
        other wallet, do not cover it.
    :raises InvalidAmount: if the amount is no whole number above zero.
    :raises InvalidTerms: if both wallets are one, or credits shall return from another
        organization.
    :raises LotExpiresTooEarly: if the credits would be dead on arrival.
    :raises ReferenceReused: if the reference stands for something else.
    :raises WalletFrozen: if nothing may leave the wallet.
    :raises WalletClosed: if one of the wallets is closed.
    """
    request = TransferRequest(
        target_id=target.id,
        amount=amount,
        reference=reference,
        source_id=source_id,
        kind=kind,
        expires_at=expires_at,
        returns=returns,
        description=description,
    )
    outcome = post_one(_transfer(wallet, request, source), mode)
    if not outcome.is_replayed and not mode.is_dry_run:
        facts = {"target": target.public_id, "amount": amount, "reference": reference}
        _record("credits.transferred", wallet, facts)
    return outcome


@transaction.atomic
def recall_credits(
    *,
    wallet: Wallet,
    target: Wallet,
    lot_ids: Sequence[UUID],
    reference: str,
    source: str,
    amount: int | None = None,
    source_id: str = "",
    description: str = "",
    mode: Mode = POST,
) -> Outcome:
    """
    Take what remains of lots that return, or `amount` of it, back to the `target`'s lots.

    Each credit goes to the very lot that it came from; where that one has died, it expires at
    once. Held credits stay held. It is done whatever the status of both wallets, once per
    reference; where nothing remains it is an outcome without entries, and leaves no trace.

    :raises InvalidAmount: if the amount is no whole number above zero.
    :raises InvalidTerms: if both wallets are one.
    :raises LotDoesNotReturn: if one of the lots does not return to the target.
    :raises LotHasLess: if less than the amount remains of them.
    :raises LotNotFound: if the wallet has not all of these lots.
    :raises ReferenceReused: if the reference stands for something else.
    """
    request = RecallRequest(
        wallet_id=wallet.id,
        lot_ids=lot_ids,
        reference=reference,
        amount=amount,
        source_id=source_id,
        description=description,
    )
    outcome = post_one(_recall(target, request, source), mode)
    if outcome.entries and not outcome.is_replayed and not mode.is_dry_run:
        facts = {"from": wallet.public_id, "amount": -outcome.amount, "reference": reference}
        _record("credits.recalled", target, facts)
    return outcome


@transaction.atomic
def transfer_many(
    *, wallet: Wallet, requests: Sequence[TransferRequest], source: str
) -> list[Outcome | DomainError]:
    """
    Carry out many transfers from one wallet: outcomes or refusals, in the order asked.

    A refusal stops only itself. Its reasons are those of `transfer_credits`. There is one audit
    row for all; queries do not grow with their number.

    :raises NotFound: if a wallet does not exist; then nothing is written.
    """
    commands = [_transfer(wallet, one, source) for one in requests]
    return _post_many("credits.transferred_many", wallet, commands)


@transaction.atomic
def recall_many(
    *, target: Wallet, requests: Sequence[RecallRequest], source: str
) -> list[Outcome | DomainError]:
    """
    Carry out many recalls to one wallet: outcomes or refusals, in the order asked.

    A refusal stops only itself. Its reasons are those of `recall_credits`. There is one audit
    row for all; queries do not grow with their number.

    :raises NotFound: if a wallet does not exist; then nothing is written.
    """
    commands = [_recall(target, one, source) for one in requests]
    return _post_many("credits.recalled_many", target, commands)


def _transfer(wallet: Wallet, request: TransferRequest, source: str) -> Transfer:
    return Transfer(
        wallet_id=wallet.id,
        target_id=request.target_id,
        reference=request.reference,
        source=source,
        source_id=request.source_id,
        description=request.description,
        amount=request.amount,
        kind=request.kind.value if request.kind else None,
        expires_at=request.expires_at,
        returns=request.returns,
    )


def _recall(target: Wallet, request: RecallRequest, source: str) -> Recall:
    return Recall(
        wallet_id=request.wallet_id,
        target_id=target.id,
        reference=request.reference,
        source=source,
        source_id=request.source_id,
        description=request.description,
        lots=tuple(request.lot_ids),
        amount=request.amount,
    )


def _post_many(
    action: str, wallet: Wallet, commands: Sequence[Command]
) -> list[Outcome | DomainError]:
    """Post them all, and write down how many moved how much."""
    if not commands:
        return []
    outcomes = post(commands)
    done = [one for one in outcomes if isinstance(one, Outcome)]
    new = [one for one in done if one.entries and not one.is_replayed]
    if new:
        amount = sum(abs(one.amount) for one in new)
        refused = len(outcomes) - len(done)
        _record(action, wallet, {"operations": len(new), "amount": amount, "refused": refused})
    return outcomes


def _record(action: str, wallet: Wallet, facts: dict[str, Any]) -> None:
    record(
        action=action,
        organization=wallet.organization,
        object_id=wallet.public_id,
        after=facts,
    )

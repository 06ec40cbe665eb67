"""Change many lots at once: when they end, and what is left of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.core.errors import DomainError
from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import ChangeExpiry, Void
from apps.credits.ledger.posting import post


@dataclass(frozen=True, kw_only=True)
class LotRequest:
    """A lot that shall change, among many; once per reference."""

    wallet_id: UUID
    lot_id: UUID
    reference: str
    source_id: str = ""
    description: str = ""


@transaction.atomic
def redate_many(
    *, requests: Sequence[tuple[LotRequest, datetime]], source: str
) -> list[Outcome | DomainError]:
    """
    Let what remains of each lot end at its moment: outcomes or refusals, in the order asked.

    A refusal stops only itself: LotHasLess if nothing remains, LotFrozen, LotExpiresTooEarly if
    the moment has passed. The number of queries does not grow with the number of lots.
    """
    return _post(
        [
            ChangeExpiry(
                wallet_id=one.wallet_id,
                lot_id=one.lot_id,
                reference=one.reference,
                source=source,
                source_id=one.source_id,
                description=one.description,
                expires_at=expires_at,
            )
            for one, expires_at in requests
        ]
    )


@transaction.atomic
def void_many(*, requests: Sequence[LotRequest], source: str) -> list[Outcome | DomainError]:
    """
    Take back what remains of each lot: outcomes or refusals, in the order asked.

    A refusal stops only itself: LotHasLess if nothing remains, WalletClosed. The number of
    queries does not grow with the number of lots.
    """
    return _post(
        [
            Void(
                wallet_id=one.wallet_id,
                lot_id=one.lot_id,
                reference=one.reference,
                source=source,
                source_id=one.source_id,
                description=one.description,
            )
            for one in requests
        ]
    )


def _post(commands: Sequence[ChangeExpiry | Void]) -> list[Outcome | DomainError]:
    return post(commands) if commands else []

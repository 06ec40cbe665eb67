"""What a correction needs to know, as values and as JSON."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from apps.credits.errors import InvalidTerms
from apps.credits.ledger.commands import ChangeExpiry, Command, Deduct, Grant, Void
from apps.credits.models import Correction, Wallet


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The terms of every action; each uses its own and leaves the others empty."""

    amount: int | None = None  # credits
    kind: str = "adjustment"  # of the lot that is granted
    effective_at: datetime | None = None
    expires_at: datetime | None = None  # exclusive; never, if None
    priority: int | None = None
    unit_cost: Decimal = Decimal(0)  # minor units of currency for one credit
    currency: str = ""
    lot_id: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the terms as JSON keeps them."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return the terms that JSON has kept."""
        readers: dict[str, Callable[[str], Any]] = {
            "effective_at": datetime.fromisoformat,
            "expires_at": datetime.fromisoformat,
            "unit_cost": Decimal,
            "lot_id": UUID,
        }
        values = {field.name: kept[field.name] for field in fields(cls)}
        for name, read in readers.items():
            if values[name] is not None:
                values[name] = read(values[name])
        return cls(**values)


def command_of(
    wallet: Wallet,
    action: Correction.Action,
    terms: Terms,
    *,
    reference: str,
    description: str = "",
    metadata: Mapping[str, Any] | None = None,
) -> Command:
    """
    Return what the ledger is asked for.

    :raises InvalidTerms: naming the term that the action needs.
    """
    cause: dict[str, Any] = {
        "wallet_id": wallet.id,
        "reference": reference,
        "source": "correction",
        "source_id": reference.partition(":")[2],
        "description": description,
        "metadata": metadata or {},
    }
    match action:
        case Correction.Action.GRANT:
            return Grant(
                **cause,
                amount=_needed(terms.amount, "amount"),
                kind=terms.kind,
                effective_at=terms.effective_at,
                expires_at=terms.expires_at,
                priority=terms.priority,
                unit_cost=terms.unit_cost,
                currency=terms.currency,
            )
        case Correction.Action.DEDUCT:
            return Deduct(**cause, amount=_needed(terms.amount, "amount"))
        case Correction.Action.VOID:
            lot_id = _needed(terms.lot_id, "lot")
            return Void(**cause, lot_id=lot_id, amount=terms.amount)
        case Correction.Action.CHANGE_EXPIRY:
            lot_id = _needed(terms.lot_id, "lot")
            return ChangeExpiry(**cause, lot_id=lot_id, expires_at=terms.expires_at)


def _needed[T](value: T | None, field: str) -> T:
    if value is None:
        raise InvalidTerms(field=field, must="be given")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | UUID) else value

"""What can be asked of the ledger. Amounts are whole credits above zero."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

# The lowest burns first (reference: rules of burn-down). Trials go first, so that a
# customer's own money is touched last.
PRIORITIES = {
    "trial": 0,
    "subscription": 10,
    "generation": 15,
    "partner": 20,
    "promotional": 30,
    "adjustment": 30,
    "purchase": 50,
}


@dataclass(frozen=True, kw_only=True)
class Command:
    """
    One operation on one wallet.

    `reference` is the cause, in our words (`job:job_01K…:1`): the same reference is
    carried out once, whoever repeats it, and however often.
    """

    wallet_id: UUID
    reference: str
    source: str
    source_id: str = ""
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Grant(Command):
    """Put a new lot into the wallet."""

    kind: str
    amount: int
    effective_at: datetime | None = None  # now, if None
    expires_at: datetime | None = None  # exclusive; never, if None
    priority: int | None = None  # that of the kind, if None
    unit_cost: Decimal = Decimal(0)  # minor units of currency for one credit
    currency: str = ""
    features: tuple[str, ...] | None = None
    stripe_payment_intent_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Charge(Command):
    """Take credits out of the wallet's open lots, in burn order."""

    amount: int
    credit_event_id: UUID | None = None
    features: frozenset[str] = frozenset()  # name and category of the event, for lots that ask


@dataclass(frozen=True, kw_only=True)
class Refund(Command):
    """
    Give a charge back to the lots it came from, last drawn first.

    A lot that died meanwhile is replaced by a grace lot if the fault is ours; if not,
    the credits are given back and expire at once, and both can be seen.
    """

    of: str  # the charge's reference
    amount: int | None = None  # all that is left of the charge, if None
    is_our_fault: bool = False


@dataclass(frozen=True, kw_only=True)
class Expire(Command):
    """Write off what is past its date. Every other command does so first as well."""

"""What can be asked of the ledger. Amounts are whole credits above zero."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from apps.core import ids

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
ROLLOVER_PRIORITY = 5  # what was carried over burns before the new allowance
Named = tuple[UUID, str]  # a wallet and a reference in it


def expiry_reference(lot_id: UUID) -> str:
    """Return the cause under which a lot's credits are written off at its date."""
    return f"expiry:{ids.encode('lot', lot_id)}"


def rollover_reference(lot_id: UUID) -> str:
    """Return the cause under which an ended cycle's credits are carried over, once."""
    return f"rollover:{ids.encode('lot', lot_id)}"


@dataclass(frozen=True, kw_only=True)
class Command:
    """
    One operation on one wallet.

    `reference` is the cause, in our words (`job:job_01K…:1`): the same reference is
    carried out once, whoever repeats it, and however often.
    """

    takes_out: ClassVar[bool] = False  # refused while the wallet is frozen

    wallet_id: UUID
    reference: str
    source: str
    source_id: str = ""
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def wallet_ids(self) -> tuple[UUID, ...]:
        """Return the wallets that it may change."""
        return (self.wallet_id,)

    def named(self) -> tuple[Named, ...]:
        """Return the references whose transactions must be known."""
        return ((self.wallet_id, self.reference),)

    def lot_ids(self) -> tuple[UUID, ...]:
        """Return the lots that must be known, even if nothing remains of them."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Grant(Command):
    """Put a new lot into the wallet."""

    kind: str
    amount: int
    effective_at: datetime | None = None  # now, if None
    expires_at: datetime | None = None  # exclusive; never, if None
    lives: timedelta | None = None  # from effective_at on, instead of expires_at
    priority: int | None = None  # that of the kind, if None
    unit_cost: Decimal = Decimal(0)  # minor units of currency for one credit
    currency: str = ""
    features: tuple[str, ...] | None = None
    stripe_payment_intent_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Charge(Command):
    """Take credits out of the wallet's open lots, in burn order; then from its credit line."""

    takes_out = True

    amount: int
    credit_event_id: UUID | None = None
    features: frozenset[str] = frozenset()  # name and category of the event, for lots that ask


@dataclass(frozen=True, kw_only=True)
class Refund(Command):
    """
    Give a charge, or a captured hold, back to the lots it came from, last drawn first.

    A lot that died meanwhile is replaced by a grace lot if the fault is ours; if not,
    the credits are given back and expire at once, and both can be seen.
    """

    of: str  # the reference of the charge or hold
    amount: int | None = None  # all that is left of it, if None
    is_our_fault: bool = False

    def named(self) -> tuple[Named, ...]:
        """Ask for what is given back as well."""
        return (*super().named(), (self.wallet_id, self.of))


@dataclass(frozen=True, kw_only=True)
class Expire(Command):
    """Write off what is past its date. Every other command does so first as well."""


@dataclass(frozen=True, kw_only=True)
class PlaceHold(Command):
    """Set credits aside, out of their lots, until they are captured, released or too old."""

    takes_out = True

    amount: int
    ttl: timedelta
    policy: str = "reject"  # if more is captured than was held: reject, cap or overflow
    credit_event_id: UUID | None = None
    features: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Capture(Command):
    """Keep what was used of the hold with this reference, and give the rest back."""

    amount: int


@dataclass(frozen=True, kw_only=True)
class Release(Command):
    """Give all of the hold with this reference back to its lots."""


@dataclass(frozen=True, kw_only=True)
class RenewHold(Command):
    """Let the hold with this reference live longer; what it holds, and its policy, stay."""

    ttl: timedelta


@dataclass(frozen=True, kw_only=True)
class Void(Command):
    """Take back what remains of one lot, or `amount` of it; what was used stays used."""

    lot_id: UUID
    amount: int | None = None

    def lot_ids(self) -> tuple[UUID, ...]:
        """Ask for the lot, although nothing may remain of it."""
        return (self.lot_id,)


@dataclass(frozen=True, kw_only=True)
class ClawBack(Command):
    """
    Take back credits whose money went back: at most `amount`, of one lot and its heirs.

    What was used stays used; a freeze of the lot does not stop it.
    """

    lot_id: UUID
    amount: int

    def lot_ids(self) -> tuple[UUID, ...]:
        """Ask for the lot, although nothing may remain of it."""
        return (self.lot_id,)


@dataclass(frozen=True, kw_only=True)
class Reinstate(Command):
    """Give back what `of` took of one lot and its heirs, last taken first: the money stayed."""

    of: tuple[str, ...]  # references of what took it back
    lot_id: UUID
    amount: int

    def named(self) -> tuple[Named, ...]:
        """Ask for what is given back as well."""
        return (*super().named(), *((self.wallet_id, reference) for reference in self.of))

    def lot_ids(self) -> tuple[UUID, ...]:
        """Ask for the lot, although nothing may remain of it."""
        return (self.lot_id,)


@dataclass(frozen=True, kw_only=True)
class FreezeLot(Command):
    """Let nothing be drawn from one lot and its heirs, or let it again; time goes on for them."""

    lot_id: UUID
    is_frozen: bool

    def lot_ids(self) -> tuple[UUID, ...]:
        """Ask for the lot, although nothing may remain of it."""
        return (self.lot_id,)


@dataclass(frozen=True, kw_only=True)
class Deduct(Command):
    """Correct a balance downwards, out of the live lots in burn order."""

    amount: int


@dataclass(frozen=True, kw_only=True)
class Transfer(Command):
    """
    Move credits to another wallet, where each lot keeps its cash per credit.

    They never live longer there than they would have here. Those that return can be recalled to
    the very lots that they came from, and can be handed on no further.
    """

    takes_out = True

    target_id: UUID
    amount: int
    kind: str | None = None  # of the lots there; as they were, if None
    expires_at: datetime | None = None  # at the latest; with the lot it came from, if None
    returns: bool = False

    def wallet_ids(self) -> tuple[UUID, ...]:
        """Lock both."""
        return (self.wallet_id, self.target_id)

    def named(self) -> tuple[Named, ...]:
        """Ask for what the other wallet got as well."""
        return (*super().named(), (self.target_id, self.reference))


@dataclass(frozen=True, kw_only=True)
class ChangeExpiry(Command):
    """Move what remains of a lot to a new one with another date, and all else the same."""

    lot_id: UUID
    expires_at: datetime | None

    def lot_ids(self) -> tuple[UUID, ...]:
        """Ask for the lot, although nothing may remain of it."""
        return (self.lot_id,)


@dataclass(frozen=True, kw_only=True)
class RenewAllowance(Command):
    """
    Begin a cycle: carry over from the old cycle's lot, and grant the new allowance.

    Carried over is min(cap, max(left, floor)), where left is what the old lot lost when
    it ended. No other lot is touched.
    """

    amount: int
    expires_at: datetime
    ended_lot_id: UUID | None = None
    rollover_cap: int = 0
    rollover_floor: int = 0
    rollover_expires_at: datetime | None = None  # with the new lot, if None
    unit_cost: Decimal = Decimal(0)
    currency: str = ""

    def named(self) -> tuple[Named, ...]:
        """Ask for what the old lot lost, and whether it was carried over before."""
        if self.ended_lot_id is None:
            return super().named()
        lost = (self.wallet_id, expiry_reference(self.ended_lot_id))
        carried = (self.wallet_id, rollover_reference(self.ended_lot_id))
        return (*super().named(), lost, carried)

    def lot_ids(self) -> tuple[UUID, ...]:
        """Ask for the old cycle's lot, although nothing may remain of it."""
        return (self.ended_lot_id,) if self.ended_lot_id else ()


@dataclass(frozen=True, kw_only=True)
class ChangeStatus(Command):
    """Freeze or thaw, close or reopen the wallet; what is None stays as it is."""

    is_frozen: bool | None = None
    is_closed: bool | None = None


@dataclass(frozen=True, kw_only=True)
class SetCreditLine(Command):
    """Let the wallet owe up to so many credits; 0 is none."""

    limit: int

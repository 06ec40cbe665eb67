"""The lots of a wallet: how each stands, in which order they burn, and why in that order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.db.models import F, Q, QuerySet, Sum

from apps.core.clock import database_now, now_in_query
from apps.credits.ledger.state import burn_order
from apps.credits.models import Lot, Wallet

DEBT = "debt"  # the kind of a lot whose credits are owed


class Status(StrEnum):
    """How a lot stands at one moment."""

    OPEN = "open"  # credits can be drawn from it
    SCHEDULED = "scheduled"  # it has not begun
    FROZEN = "frozen"
    EXPIRED = "expired"  # past its date, whether written off already or not
    USED_UP = "used_up"
    DEBT = "debt"  # owed; the next credits repay it


class Reason(StrEnum):
    """Why a lot burns before the next one: the first rule in which the two differ."""

    PRIORITY = "priority"
    ENDS_SOONER = "ends_sooner"
    KIND = "kind"
    COST = "cost"
    AGE = "age"
    LAST = "last"


@dataclass(frozen=True)
class Standing:
    """A lot as it stands at one moment."""

    lot: Lot
    remaining: int  # credits
    status: Status
    place: int | None = None  # in burn order from 1; None: nothing can be drawn from it
    reason: Reason | None = None
    explanation: str = ""  # the reason in a sentence

    @property
    def used(self) -> int:
        """Credits that were drawn from it or written off, and not given back."""
        return self.lot.granted - self.remaining


def open_lots(wallet: Wallet) -> QuerySet[Lot]:
    """Return the lots from which credits can be drawn now."""
    return Lot.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now_in_query()),
        wallet=wallet,
        has_credits=True,
        remaining__gt=0,
        frozen_at=None,
        effective_at__lte=now_in_query(),
    )


def heirs_of(lots: Iterable[Lot]) -> QuerySet[Lot]:
    """Return the lots that hold what left these for another date, or came back after their end."""
    return Lot.objects.filter(heir_of__in=list(lots)).order_by("id")


def lent_of(lot: Lot) -> QuerySet[Lot]:
    """Return the lots in other wallets whose credits came from a lot or its heirs, to return."""
    return Lot.objects.filter(returns_to__in=[lot, *heirs_of([lot])])


def lots_in_burn_order(wallet: Wallet) -> list[Lot]:
    """Return the open lots in the order in which they are spent."""
    return sorted(open_lots(wallet), key=burn_order)


def credits_in_live_lots(wallet: Wallet) -> int:
    """Return what was granted in those lots that can still be spent from."""
    return open_lots(wallet).aggregate(total=Sum("granted"))["total"] or 0


def lots_with_credits(wallet: Wallet, *, now: datetime | None = None) -> list[Standing]:
    """
    Return the lots that still hold or owe credits: the open ones first, in burn order.

    `now` is the database's clock, for callers who have read it.
    """
    lots = Lot.objects.filter(wallet=wallet, has_credits=True)
    return in_burn_order(((lot, lot.remaining) for lot in lots), at=now or database_now())


def ended_lots(wallet: Wallet, *, limit: int) -> list[Standing]:
    """Return the lots of which nothing is left, the newest first."""
    lots = Lot.objects.filter(wallet=wallet, has_credits=False).order_by(
        F("created_at").desc(), "-id"
    )
    now = database_now()
    return [Standing(lot, 0, status_of(lot, 0, now)) for lot in lots[:limit]]


def status_of(lot: Lot, remaining: int, at: datetime) -> Status:
    """
    Tell how a lot with so many credits stands at a moment.

    Only the last freeze of a lot is known: one that was lifted has left no trace here.
    """
    if lot.kind == DEBT:
        return Status.DEBT if remaining else Status.USED_UP
    if lot.expires_at is not None and lot.expires_at <= at:
        return Status.EXPIRED
    if not remaining:
        return Status.USED_UP
    if lot.frozen_at is not None and lot.frozen_at <= at:
        return Status.FROZEN
    return Status.SCHEDULED if lot.effective_at > at else Status.OPEN


def in_burn_order(found: Iterable[tuple[Lot, int]], *, at: datetime) -> list[Standing]:
    """Return lots with what each holds: open ones by burn order with reasons, then the rest."""
    standings = [Standing(lot, left, status_of(lot, left, at)) for lot, left in found]
    burning = [one for one in standings if one.status == Status.OPEN]
    others = [one for one in standings if one.status != Status.OPEN]
    burning.sort(key=lambda one: burn_order(one.lot))
    others.sort(key=lambda one: (one.status, one.lot.effective_at, one.lot.id))
    return [*_with_reasons(burning), *others]


def _with_reasons(burning: Sequence[Standing]) -> list[Standing]:
    following = [*(one.lot for one in burning[1:]), None]
    return [
        replace(
            one,
            place=place,
            reason=why_before(one.lot, after),
            explanation=_sentence(why_before(one.lot, after), one.lot, after),
        )
        for place, (one, after) in enumerate(zip(burning, following, strict=False), 1)
    ]


def why_before(lot: Lot, after: Lot | None) -> Reason:
    """Return the first rule of the burn order in which a lot differs from the one after it."""
    if after is None:
        return Reason.LAST
    mine, other = burn_order(lot), burn_order(after)
    rules = (Reason.PRIORITY, Reason.ENDS_SOONER, Reason.KIND, Reason.COST)
    pairs = zip(rules, mine, other, strict=False)
    return next((rule for rule, one, two in pairs if one != two), Reason.AGE)


def _sentence(reason: Reason, lot: Lot, after: Lot | None) -> str:
    if after is None:
        return "Used last: nothing else comes after it."
    kinds = f"{_kind(lot)} before {_kind(after)}"
    return {
        Reason.PRIORITY: f"Priority {lot.priority} goes before {after.priority}.",
        Reason.ENDS_SOONER: "Same priority; it ends sooner than the next one."
        if after.expires_at
        else "Same priority; it has an end, the next one has none.",
        Reason.KIND: f"Same priority and end; {kinds}.",
        Reason.COST: "Same priority, end and kind; it cost less per credit than the next one.",
        Reason.AGE: "Equal in all else; it is older than the next one.",
        Reason.LAST: "",
    }[reason]


def _kind(lot: Lot) -> str:
    return "bought" if lot.kind == Lot.Kind.PURCHASE else str(lot.kind)

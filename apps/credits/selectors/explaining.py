"""Why a number is what it is: the lots, movements and causes that add up to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Sum

from apps.core.clock import database_now
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.selectors.balances import last_sequence, lots_at
from apps.credits.selectors.filters import NO_EVENT
from apps.credits.selectors.lots import Standing, Status
from apps.credits.selectors.periods import Period
from apps.credits.selectors.transactions import Operation
from apps.credits.selectors.usage import GROUPINGS, used_by

SHOWN = 50  # movements of a day that are listed one by one
WORDS = {
    "earned": "Granted",
    "purchased": "Purchased",
    "consumed": "Used",
    "transferred_in": "Received",
    "transferred_out": "Sent",
}
WHY_NOT = {
    Status.SCHEDULED: "has not begun",
    Status.FROZEN: "is frozen",
    Status.EXPIRED: "is past its date and not written off yet",
    Status.DEBT: "is owed",
}
RETURNS = "is past its date and goes back to where it came from"


@dataclass(frozen=True)
class Part:
    """One addend, and the parts that add up to it in turn."""

    label: str
    amount: int  # credits
    count: int = 0  # movements behind it
    note: str = ""
    lot: Lot | None = None
    transaction: CreditTransaction | None = None
    parts: tuple["Part", ...] = ()

    @property
    def adds_up(self) -> bool:
        """Whether its parts, where it has some, make its amount, on every level."""
        if not self.parts:
            return True
        return self.amount == total(self.parts) and all(part.adds_up for part in self.parts)


@dataclass(frozen=True)
class Explanation:
    """
    A number with its parts.

    `amount` and `parts` are read from the database in two ways, so that it means
    something when they agree.
    """

    of: str  # balance, usage or transaction
    amount: int  # credits
    sentence: str
    parts: tuple[Part, ...]
    beside: tuple[Part, ...] = ()  # what belongs with it and does not count
    as_of: datetime | None = None
    day: date | None = None

    @property
    def sum(self) -> int:
        """What the parts make."""
        return total(self.parts)

    @property
    def adds_up(self) -> bool:
        """Whether the parts make the number, on every level."""
        return self.sum == self.amount and all(part.adds_up for part in self.parts)


def total(parts: Iterable[Part]) -> int:
    """Return what parts make together."""
    return sum(part.amount for part in parts)


def explain_balance(wallet: Wallet, *, as_of: datetime | None = None) -> Explanation:
    """Return the lots that make the available balance, each with the movements that made it."""
    moment = as_of or database_now()
    up_to = last_sequence(wallet, moment)
    standings = [one for one in lots_at(wallet, moment, up_to=up_to) if one.remaining]
    movements = _movements_by_lot(wallet, [one.lot.id for one in standings], up_to)
    counted = [one for one in standings if one.status == Status.OPEN]
    beside = [one for one in standings if one.status != Status.OPEN]
    lots = f"{len(counted)} lot{'' if len(counted) == 1 else 's'}"
    return Explanation(
        of="balance",
        amount=sum(one.remaining for one in counted),
        sentence=f"The available balance is what is left in {lots}.",
        parts=tuple(_lot_part(one, movements) for one in counted),
        beside=tuple(_lot_part(one, movements) for one in beside),
        as_of=moment,
    )


def explain_usage(wallet: Wallet, day: date, *, actor: str | None = None) -> Explanation:
    """Return the events that make the use of a day, each with its movements and what came back."""
    used = used_by(wallet, Period(day, day), actor=actor).annotate(event=GROUPINGS["event"])
    amount = -(used.aggregate(total=Sum("amount"))["total"] or 0)
    listed: dict[str, list[CreditTransaction]] = {}
    for entry in used.select_related("lot", "credit_event").order_by("-sequence")[:SHOWN]:
        listed.setdefault(entry.event, []).append(entry)
    groups = used.values("event").annotate(credits=-Sum("amount"), count=Count("id"))
    parts = [
        _event_part(group["event"], group["credits"], group["count"], listed)
        for group in groups.order_by("event")
    ]
    parts.sort(key=lambda part: -part.amount)
    return Explanation(
        of="usage",
        amount=amount,
        sentence="What was charged on this day, less what was given back on it.",
        parts=tuple(parts),
        day=day,
    )


def explain_transaction(operation: Operation) -> Explanation:
    """Return the movements that make one operation, one for each lot, and what reversed it."""
    last, first = operation.last, operation.parts[0]
    before = _balances_before(operation)
    sentence = f"The balance was {before[first.id]:,} before and {last.balance_after:,} after it."
    event = last.credit_event
    if event and event.credit_cost and not operation.amount % event.credit_cost:
        quantity = abs(operation.amount) // event.credit_cost
        sentence += f" It is {quantity:,} × {event.name} at {event.credit_cost:,} credits."
    reversals = CreditTransaction.objects.filter(
        wallet=last.wallet_id, reverses__in=[part.id for part in operation.parts]
    )
    return Explanation(
        of="transaction",
        amount=sum(part.balance_after - before[part.id] for part in operation.parts),
        sentence=sentence,
        parts=tuple(
            Part(
                label=f"{word(part.transaction_type)}: {part.lot.get_kind_display()}",
                amount=part.amount,
                count=1,
                lot=part.lot,
                transaction=part,
                note=f"leaves {part.lot_balance_after:,} in the lot",
            )
            for part in operation.parts
        ),
        beside=tuple(
            Part(_cause(entry), entry.amount, count=1, lot=entry.lot, transaction=entry)
            for entry in reversals.select_related("lot").order_by("sequence")
        ),
        as_of=last.created_at,
    )


def word(transaction_type: str) -> str:
    """Return how a type of movement is called."""
    return WORDS.get(transaction_type, transaction_type.replace("_", " ").capitalize())


def _balances_before(operation: Operation) -> dict[UUID, int]:
    """Return the balance before each part: what the movement before it left, whosever it is."""
    previous = CreditTransaction.objects.filter(
        wallet=operation.last.wallet_id,
        sequence__in=[part.sequence - 1 for part in operation.parts],
    )
    left = dict(previous.values_list("sequence", "balance_after"))
    return {part.id: left.get(part.sequence - 1, 0) for part in operation.parts}


def _lot_part(one: Standing, movements: dict[UUID, list[Part]]) -> Part:
    parts = tuple(movements.get(one.lot.id, ()))
    return Part(
        label=one.lot.get_kind_display(),
        amount=one.remaining,
        count=sum(part.count for part in parts),
        note=_why_not(one),
        lot=one.lot,
        parts=parts,
    )


def _why_not(one: Standing) -> str:
    if one.status == Status.EXPIRED and one.lot.returns_to_id:
        return RETURNS
    return WHY_NOT.get(one.status, "")


def _movements_by_lot(wallet: Wallet, lot_ids: list[UUID], up_to: int) -> dict[UUID, list[Part]]:
    """Return what moved each lot up to a transaction: one part for each type and source."""
    found: dict[UUID, list[Part]] = {}
    rows = CreditTransaction.objects.filter(wallet=wallet, lot__in=lot_ids, sequence__lte=up_to)
    sums = rows.values("lot", "transaction_type", "source").annotate(
        credits=Sum("amount"), count=Count("id")
    )
    for row in sums.order_by("lot", "-credits"):
        label = f"{word(row['transaction_type'])} ({row['source']})"
        found.setdefault(row["lot"], []).append(Part(label, row["credits"], count=row["count"]))
    return found


def _event_part(
    event: str, credits: int, count: int, listed: dict[str, list[CreditTransaction]]
) -> Part:
    shown = [
        Part(_cause(entry), -entry.amount, count=1, lot=entry.lot, transaction=entry)
        for entry in listed.get(event, [])
    ]
    if count > len(shown):
        rest = credits - total(shown)
        shown.append(Part(f"{count - len(shown):,} earlier ones", rest, count - len(shown)))
    name = "Without an event" if event == NO_EVENT else event
    return Part(name, credits, count=count, parts=tuple(shown))


def _cause(entry: CreditTransaction) -> str:
    return entry.description or f"{word(entry.transaction_type)}: {entry.reference}"

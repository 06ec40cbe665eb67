"""
The ledger's rules once more, as plainly as they can be said: lists, dicts and ints.

Written from the rules and not from the code, so that the two can disagree. No hashes,
no rows, no database; credits are numbers in lots.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

KIND_RANK = {"promotional": 0, "adjustment": 0, "trial": 1, "partner": 1}
KIND_RANK |= {"generation": 2, "subscription": 2, "purchase": 3}
PRIORITY = {"trial": 0, "subscription": 10, "generation": 15, "partner": 20}
PRIORITY |= {"promotional": 30, "adjustment": 30, "purchase": 50}
NEVER = datetime.max  # noqa: DTZ901  compared with naive times alone
GRACE = timedelta(days=7)


class Refused(Exception):
    """A refusal, by its code."""


@dataclass
class Lot:
    kind: str
    left: int
    priority: int
    starts: datetime
    ends: datetime | None
    features: tuple[str, ...] | None

    def order(self) -> tuple:
        ends = NEVER if self.ends is None else self.ends.replace(tzinfo=None)
        return (self.priority, ends, KIND_RANK[self.kind], self.starts)

    def is_dead(self, now: datetime) -> bool:
        return self.ends is not None and now >= self.ends


@dataclass
class Ledger:
    lots: list[Lot] = field(default_factory=list)
    done: dict[str, tuple] = field(default_factory=dict)  # reference → what was asked and came
    drawn: dict[str, list[list]] = field(default_factory=dict)  # charge → [lot, taken, given back]
    is_frozen: bool = False
    is_closed: bool = False

    def balance(self) -> int:
        return sum(lot.left for lot in self.lots)

    def grant(self, now, reference, kind, amount, starts=None, ends=None, features=None) -> int:
        if (again := self.replay(reference, ("grant", granted_as(kind), amount))) is not None:
            return again
        self.begin(now, amount)
        starts = starts or now
        if ends is not None and (ends <= starts or ends <= now):
            raise Refused("lot_expires_too_early")
        self.lots.append(Lot(kind, amount, PRIORITY[kind], starts, ends, features))
        return self.keep(reference, ("grant", granted_as(kind), amount), amount)

    def charge(self, now, reference, amount, features=frozenset()) -> int:
        if (again := self.replay(reference, ("charge", amount))) is not None:
            return again
        self.begin(now, amount, takes_out=True)
        open_lots = [
            lot
            for lot in sorted(self.lots, key=Lot.order)
            if lot.starts <= now
            and not lot.is_dead(now)
            and (lot.features is None or features & set(lot.features))
        ]
        if sum(lot.left for lot in open_lots) < amount:
            raise Refused("insufficient_credits")
        self.drawn[reference] = []
        due = amount
        for lot in open_lots:
            part = min(due, lot.left)
            if part:
                lot.left -= part
                due -= part
                self.drawn[reference].append([lot, part, 0])
        return self.keep(reference, ("charge", amount), -amount)

    def refund(self, now, reference, of, amount=None, ours=False) -> int:
        if reference in self.done:
            asked, came = self.done[reference]
            if asked[:2] != ("refund", of) or amount not in (None, came):
                raise Refused("reference_reused")
            return came
        self.begin(now, amount)
        if of not in self.drawn:
            raise Refused("charge_not_found")
        refundable = sum(taken - back for _, taken, back in self.drawn[of])
        due = refundable if amount is None else amount
        if not refundable or due > refundable:
            raise Refused("already_refunded")
        came = due
        for part in reversed(self.drawn[of]):
            lot, taken, back = part
            share = min(due, taken - back)
            part[2] += share
            due -= share
            if share and not lot.is_dead(now):
                lot.left += share
            elif share and ours:
                self.lots.append(Lot(lot.kind, share, lot.priority, now, now + GRACE, lot.features))
        return self.keep(reference, ("refund", of, amount), came)

    def expire(self, now) -> None:
        for lot in self.lots:
            if lot.is_dead(now):
                lot.left = 0

    def replay(self, reference, asked) -> int | None:
        if reference not in self.done:
            return None
        if self.done[reference][0] != asked:
            raise Refused("reference_reused")
        return self.done[reference][1]

    def begin(self, now, amount, *, takes_out=False) -> None:
        if self.is_closed:
            raise Refused("wallet_closed")
        if self.is_frozen and takes_out:
            raise Refused("wallet_frozen")
        if amount is not None and not 0 < amount <= 10**15:
            raise Refused("invalid_amount")
        self.expire(now)

    def keep(self, reference, asked, came) -> int:
        self.done[reference] = (asked, came)
        return came


def granted_as(kind: str) -> str:
    return {"purchase": "purchased", "adjustment": "adjusted"}.get(kind, "earned")

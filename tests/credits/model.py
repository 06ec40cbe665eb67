"""
The ledger's rules once more, as plainly as they can be said: lists, dicts and ints.

Written from the rules and not from the code, so that the two can disagree. No hashes,
no rows, no database; credits are numbers in lots.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

KIND_RANK = {"promotional": 0, "adjustment": 0, "trial": 1, "partner": 1}
KIND_RANK |= {"generation": 2, "subscription": 2, "purchase": 3}
PRIORITY = {"trial": 0, "subscription": 10, "generation": 15, "partner": 20}
PRIORITY |= {"promotional": 30, "adjustment": 30, "purchase": 50}
NEVER = datetime.max  # noqa: DTZ901  compared with naive times alone
GRACE = timedelta(days=7)
DAY = timedelta(days=1)


class Refused(Exception):
    """A refusal, by its code."""


@dataclass
class Lot:
    kind: str
    left: int
    priority: int
    starts: datetime
    ends: datetime | None
    features: tuple[str, ...] | None = None
    cost: int = 0
    name: str = ""  # the reference that made it, where one did
    lost: int = 0  # when its time was up
    is_frozen: bool = False
    heir_of: "Lot | None" = None  # the first one, if there were more
    returns_to: "Lot | None" = None  # the other wallet's
    lent_as: str = ""  # the reference that handed it on, where it returns

    def order(self) -> tuple:
        ends = NEVER if self.ends is None else self.ends.replace(tzinfo=None)
        return (self.priority, ends, KIND_RANK[self.kind], self.cost, self.starts)

    def is_dead(self, now: datetime) -> bool:
        return self.ends is not None and now >= self.ends

    def is_lost(self, now: datetime) -> bool:
        return self.is_dead(now) and self.returns_to is None

    def is_live(self, now: datetime) -> bool:
        is_free = self.left > 0 and not self.is_frozen
        return is_free and self.starts <= now and not self.is_dead(now)


@dataclass
class Clawed:
    lot: Lot
    reference: str
    left: int  # taken back, and not given back yet


@dataclass
class Hold:
    amount: int
    policy: str
    ends: datetime
    features: frozenset[str]
    status: str = "held"
    captured: int = 0
    came: int = 0  # credits that its end moved


@dataclass
class Ledger:
    """One wallet."""

    lots: list[Lot] = field(default_factory=list)
    debts: list[Lot] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    done: dict[str, tuple] = field(default_factory=dict)  # reference → what was asked and came
    drawn: dict[str, list[list]] = field(default_factory=dict)  # charge → [lot, taken, given back]
    clawed: list[Clawed] = field(default_factory=list)
    carried: set[str] = field(default_factory=set)  # lots whose rest was carried over
    line: int = 0
    is_frozen: bool = False
    is_closed: bool = False

    def balance(self) -> int:
        return sum(lot.left for lot in self.lots + self.debts)

    def held(self) -> int:
        return sum(hold.amount for hold in self.holds.values() if hold.status == "held")

    def debt(self) -> int:
        return -sum(debt.left for debt in self.debts)

    def grant(self, now, reference, kind, amount, terms) -> int:
        if reference in self.done:
            asked, came = self.done[reference]
            if asked[0] != "grant" or not same_terms(asked[1], (kind, amount, terms)):
                raise Refused("reference_reused")
            return came
        self.begin(now, amount)
        lot = new_lot(now, reference, kind, amount, terms)
        self.lots.append(lot)
        self.repay(now)
        return self.keep(
            reference, ("grant", (kind, amount, {**terms, "starts": lot.starts})), amount
        )

    def charge(self, now, reference, amount, features=frozenset()) -> int:
        if (again := self.replay(reference, ("charge", amount))) is not None:
            return again
        self.begin(now, amount, takes_out=True)
        self.drawn[reference] = self.take_or_owe(now, amount, features)
        return self.keep(reference, ("charge", amount), -amount)

    def take_or_owe(self, now, amount, features) -> list[list]:
        there = sum(lot.left for lot in self.open_lots(now, features))
        owed = max(0, amount - there)
        if owed > self.line - self.debt():
            raise Refused("insufficient_credits")
        parts = self.take(now, amount - owed, features)
        if owed:
            debt = Lot("debt", -owed, 0, now, None)
            self.debts.append(debt)
            parts.append([debt, owed, 0])
        return parts

    def open_lots(self, now, features) -> list[Lot]:
        return [
            lot
            for lot in sorted(self.lots, key=Lot.order)
            if lot.is_live(now) and (lot.features is None or features & set(lot.features))
        ]

    def take(self, now, amount, features) -> list[list]:
        return self.take_from(self.open_lots(now, features), amount)

    def take_from(self, lots, amount) -> list[list]:
        if sum(lot.left for lot in lots) < amount:
            raise Refused("insufficient_credits")
        parts = []
        for lot in lots:
            part = min(amount, lot.left)
            if part:
                lot.left -= part
                amount -= part
                parts.append([lot, part, 0])
        return parts

    def refund(self, now, reference, of, amount=None, ours=False) -> int:
        if reference in self.done:
            asked, came = self.done[reference]
            if asked[:2] != ("refund", of) or amount not in (None, came):
                raise Refused("reference_reused")
            return came
        self.begin(now, amount)
        if of not in self.drawn or (of in self.holds and self.holds[of].status != "captured"):
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
            self.restore(now, lot, share, ours)
        self.repay(now)
        return self.keep(reference, ("refund", of, amount), came)

    def restore(self, now, lot, share, ours) -> None:
        if lot.kind == "debt":
            forgiven = min(share, -lot.left)
            lot.left += forgiven
            if share > forgiven:
                self.lots.append(Lot("adjustment", share - forgiven, 30, now, None))
        elif share and ours and lot.is_dead(now):
            ends = now + GRACE
            heir = Lot(lot.kind, share, lot.priority, now, ends, lot.features, lot.cost)
            heir.heir_of, heir.is_frozen = lot.heir_of or lot, lot.is_frozen
            heir.returns_to = lot.returns_to
            self.lots.append(heir)
        elif not lot.is_lost(now):
            lot.left += share

    def hold(self, now, reference, amount, ttl, policy, features) -> int:
        if (again := self.replay(reference, ("hold", amount, policy))) is not None:
            return again
        self.begin(now, amount, takes_out=True)
        if not timedelta(0) < ttl <= DAY:
            raise Refused("invalid_terms")
        self.drawn[reference] = self.take(now, amount, features)
        self.holds[reference] = Hold(amount, policy, now + ttl, features)
        return self.keep(reference, ("hold", amount, policy), -amount)

    def capture(self, now, reference, amount) -> int:
        hold = self.holds.get(reference)
        if hold and hold.status == "captured":
            if hold.captured != (min(amount, hold.amount) if hold.policy == "cap" else amount):
                raise Refused("hold_settled")
            return hold.came
        self.begin(now, amount)
        if hold is None:
            raise Refused("hold_not_found")
        if hold.status != "held":
            raise Refused("hold_settled")
        excess = max(0, amount - hold.amount)
        if excess and hold.policy == "reject":
            raise Refused("capture_exceeds_hold")
        if excess and hold.policy == "cap":
            excess, amount = 0, hold.amount
        if excess and self.is_frozen:
            raise Refused("wallet_frozen")
        over = self.take_or_owe(now, excess, hold.features) if excess else []
        unused = hold.amount - (amount - excess)
        self.give_back(now, reference, unused)
        self.drawn[reference] += over
        hold.status, hold.captured, hold.came = "captured", amount, unused - excess
        self.repay(now)
        return hold.came

    def give_back(self, now, reference, amount) -> None:
        for part in reversed(self.drawn[reference]):
            lot, taken, _ = part
            share = min(taken, amount)
            amount -= share
            part[2] += share
            if not lot.is_lost(now):
                lot.left += share

    def release(self, now, reference) -> int:
        hold = self.holds.get(reference)
        if hold and hold.status in ("released", "expired"):
            return hold.came
        self.begin(now, None)
        if hold is None:
            raise Refused("hold_not_found")
        if hold.status == "held":
            self.end_hold(now, reference, "released")
        elif hold.status != "expired":
            raise Refused("hold_settled")
        self.repay(now)
        return hold.came

    def end_hold(self, now, reference, status) -> None:
        hold = self.holds[reference]
        self.give_back(now, reference, hold.amount)
        hold.status, hold.came = status, hold.amount

    def renew_hold(self, now, reference, ttl) -> int:
        self.begin(now, None)
        if not timedelta(0) < ttl <= DAY:
            raise Refused("invalid_terms")
        hold = self.holds.get(reference)
        if hold is None:
            raise Refused("hold_not_found")
        if hold.status != "held":
            raise Refused("hold_settled")
        hold.ends = max(hold.ends, now + ttl)
        return 0

    def void(self, now, reference, lot, amount) -> int:
        if reference in self.done:
            asked, came = self.done[reference]
            if asked != ("void", lot.name) or amount not in (None, -came):
                raise Refused("reference_reused")
            return came
        self.begin(now, amount)
        if lot.left <= 0 or (amount or 0) > lot.left:
            raise Refused("lot_has_less")
        amount = lot.left if amount is None else amount
        lot.left -= amount
        return self.keep(reference, ("void", lot.name), -amount)

    def claw_back(self, now, reference, lot, amount) -> int:
        if reference in self.done:
            came = self.same_family(reference, "claw back", lot)
            if amount < -came:
                raise Refused("reference_reused")
            return came
        self.check(amount)
        self.tick(now)
        taken = []
        for one in self.family(lot):
            if part := min(amount, one.left):
                one.left -= part
                amount -= part
                taken.append(Clawed(one, reference, part))
        self.clawed += taken
        if not taken:
            return 0
        asked = ("claw back", [one.lot for one in taken])
        return self.keep(reference, asked, -sum(one.left for one in taken))

    def family(self, lot) -> list[Lot]:
        return sorted((one for one in self.lots if one is lot or one.heir_of is lot), key=Lot.order)

    def clawed_of(self, lot) -> list[Clawed]:
        family = [id(one) for one in self.family(lot)]
        return [taken for taken in self.clawed if id(taken.lot) in family]

    def same_family(self, reference, what, lot) -> int:
        asked, came = self.done[reference]
        family = [id(one) for one in self.family(lot)]
        if asked[0] != what or any(id(one) not in family for one in asked[1]):
            raise Refused("reference_reused")
        return came

    def reinstate(self, now, reference, lot, amount) -> int:
        if reference in self.done:
            came = self.same_family(reference, "reinstate", lot)
            if amount != came:
                raise Refused("reference_reused")
            return came
        self.check(amount)
        self.tick(now)
        clawed = self.clawed_of(lot)
        if amount > sum(taken.left for taken in clawed):
            raise Refused("more_than_clawed_back")
        due, moved = amount, []
        for taken in reversed(clawed):
            part = min(due, taken.left)
            taken.left -= part
            due -= part
            if part:
                moved.append(taken.lot)
            if not taken.lot.is_lost(now):
                taken.lot.left += part
        self.repay(now)
        return self.keep(reference, ("reinstate", moved), amount)

    def freeze(self, now, lot, is_frozen) -> int:
        self.tick(now)
        for one in self.family(lot):
            one.is_frozen = is_frozen
        self.repay(now)
        return 0

    def deduct(self, now, reference, amount) -> int:
        if (again := self.replay(reference, ("deduct", amount))) is not None:
            return again
        self.begin(now, amount)
        live = [lot for lot in sorted(self.lots, key=Lot.order) if lot.is_live(now)]
        if sum(lot.left for lot in live) < amount:
            raise Refused("insufficient_credits")
        due = amount
        for lot in live:
            part = min(due, lot.left)
            lot.left -= part
            due -= part
        return self.keep(reference, ("deduct", amount), -amount)

    def redate(self, now, reference, lot, ends) -> int:
        if (again := self.replay(reference, ("redate", lot.name, ends))) is not None:
            return again
        self.begin(now, None)
        if lot.left <= 0 or lot.is_dead(now):
            raise Refused("lot_has_less")
        if lot.is_frozen:
            raise Refused("lot_frozen")
        if ends is not None and (ends <= now or ends <= lot.starts):
            raise Refused("lot_expires_too_early")
        self.lots.append(replace(lot, ends=ends, name=reference, lost=0))
        self.lots[-1].heir_of = lot.heir_of or lot
        lot.left = 0
        self.repay(now)
        return self.keep(reference, ("redate", lot.name, ends), 0)

    def renew(self, now, reference, amount, ends, ended, cap, floor) -> int:
        asked = ("renew", amount, ends, ended.name if ended else None)
        if (again := self.replay(reference, asked)) is not None:
            return again
        self.begin(now, amount)
        over = 0
        if ended is not None:
            if not ended.is_dead(now):
                raise Refused("cycle_not_over")
            if ended.name in self.carried:
                raise Refused("cycle_renewed")
            over = min(cap, max(ended.lost, floor))
        if ends <= now:
            raise Refused("lot_expires_too_early")
        if over:
            self.carried.add(ended.name)
            self.lots.append(Lot("subscription", over, 5, now, ends))
        self.lots.append(Lot("subscription", amount, 10, now, ends, name=reference))
        self.repay(now)
        return self.keep(reference, asked, over + amount)

    def transfer(self, now, reference, target, amount, kind, ends, returns) -> int:
        if reference in self.done or reference in target.done:
            asked, came = self.done.get(reference, ((), 0))
            if asked != ("transfer", id(target), amount, returns):
                raise Refused("reference_reused")
            return came
        self.begin(now, amount, takes_out=True)
        if target.is_closed:
            raise Refused("wallet_closed")
        if ends is not None and ends <= now:
            raise Refused("lot_expires_too_early")
        target.tick(now)
        ours = [lot for lot in self.open_lots(now, frozenset()) if lot.returns_to is None]
        for lot, part, _ in self.take_from(ours, amount):
            till = min([end for end in (lot.ends, ends) if end is not None], default=None)
            priority = PRIORITY[kind] if kind else lot.priority
            new = Lot(kind or lot.kind, part, priority, now, till, cost=lot.cost)
            if returns:
                new.returns_to, new.lent_as = lot, reference
            target.lots.append(new)
        self.repay(now)
        target.repay(now)
        target.keep(reference, ("transferred in",), amount)
        return self.keep(reference, ("transfer", id(target), amount, returns), -amount)

    def recall(self, now, reference, target, lots, amount) -> int:
        if reference in self.done or reference in target.done:
            asked, came = self.done.get(reference, ((), 0))
            sent = asked[2] if asked[:2] == ("recall", id(target)) else [None]
            named = [id(lot) for lot in lots]
            if amount not in (None, -came) or any(id(lot) not in named for lot in sent):
                raise Refused("reference_reused")
            return came
        self.check(amount)
        self.tick(now)
        target.tick(now)
        theirs = [id(lot) for lot in target.lots]
        if any(id(lot.returns_to) not in theirs for lot in lots):
            raise Refused("lot_does_not_return")
        there = sum(lot.left for lot in lots)
        if amount is not None and amount > there:
            raise Refused("lot_has_less")
        came, sent = there if amount is None else amount, []
        for lot, part, _ in self.take_from(sorted(lots, key=Lot.order)[::-1], came):
            sent.append(lot)
            if not lot.returns_to.is_dead(now):
                lot.returns_to.left += part
        self.repay(now)
        target.repay(now)
        if not sent:
            return 0
        target.keep(reference, ("recalled",), came)
        return self.keep(reference, ("recall", id(target), sent), -came)

    def set_line(self, now, limit) -> int:
        self.tick(now)
        if limit < 0:
            raise Refused("invalid_terms")
        if limit < self.debt():
            raise Refused("wallet_in_debt")
        self.line = limit
        return 0

    def set_status(self, now, *, is_frozen=None, is_closed=None) -> int:
        self.tick(now)
        if is_closed and self.held():
            raise Refused("wallet_has_holds")
        if is_closed and self.debt():
            raise Refused("wallet_in_debt")
        self.is_frozen = self.is_frozen if is_frozen is None else is_frozen
        self.is_closed = self.is_closed if is_closed is None else is_closed
        return 0

    def tick(self, now) -> None:
        """Do what time alone makes due."""
        for lot in self.lots:
            if lot.is_lost(now):
                lot.lost += lot.left
                lot.left = 0
        for reference, hold in self.holds.items():
            if hold.status == "held" and hold.ends <= now:
                self.end_hold(now, reference, "expired")
        self.repay(now)

    def repay(self, now) -> None:
        for debt in self.debts:
            for lot in self.open_lots(now, frozenset()):
                part = min(-debt.left, lot.left)
                lot.left -= part
                debt.left += part

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
        self.check(amount)
        self.tick(now)

    def check(self, amount) -> None:
        if amount is not None and not 0 < amount <= 10**15:
            raise Refused("invalid_amount")

    def keep(self, reference, asked, came) -> int:
        self.done[reference] = (asked, came)
        return came


def new_lot(now, name, kind, amount, terms) -> Lot:
    starts, ends = terms.get("starts") or now, terms.get("ends")
    if ends is not None and (ends <= starts or ends <= now):
        raise Refused("lot_expires_too_early")
    priority = PRIORITY[kind] if terms.get("priority") is None else terms["priority"]
    cost = terms.get("cost", 0)
    return Lot(kind, amount, priority, starts, ends, terms.get("features"), cost, name)


def same_terms(done, asked) -> bool:
    (kind, amount, terms), (kind_asked, amount_asked, terms_asked) = done, asked
    given = {key: value for key, value in terms_asked.items() if value is not None}
    always = ("ends", "features", "cost")
    priority = terms.get("priority")
    return (
        (kind, amount) == (kind_asked, amount_asked)
        and all(terms.get(key) == terms_asked.get(key) for key in always)
        and given.get("starts", terms["starts"]) == terms["starts"]
        and given.get("priority", priority if priority is not None else PRIORITY[kind])
        == (priority if priority is not None else PRIORITY[kind])
    )

"""Random lives of two wallets, told to the model and to the ledger, which must agree."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from apps.core import ids
from apps.core.errors import DomainError
from apps.credits.ledger import commands as ask
from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Command
from apps.credits.ledger.planning import plan
from apps.credits.ledger.returning import Recall
from apps.credits.ledger.state import State, WalletState
from apps.credits.models import NO_HASH
from tests.credits.model import PRIORITY, Ledger, Refused

MOMENTS = [
    datetime(2028, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC),  # the day before 29 February
    datetime(2027, 3, 28, 0, 59, 58, tzinfo=UTC),  # clocks go forward in Berlin
    datetime(2027, 10, 31, 0, 30, tzinfo=UTC),  # and back
    datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
]
SPANS = [
    *(timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1), timedelta(hours=23)),
    *(timedelta(days=days) for days in (1, 7, 28, 29, 30, 31, 365)),
]
AMOUNTS = st.one_of(*[st.integers(1, 60)] * 14, st.sampled_from([0, -5, 10**15 + 1]))
LIVES = st.sampled_from([None, *SPANS[2:]])
PARTS = st.integers(1, 25)
REPEATS = st.integers(0, 99)  # below 25 a reference that was used before, else a new one
KINDS = st.sampled_from(sorted(PRIORITY))
WALLETS = st.sampled_from([0, 0, 0, 1])
FEATURES = st.sampled_from([None, None, ("image.restyle",), ("compute", "storage")])
ASKED = st.sampled_from([frozenset(), frozenset({"image.restyle", "compute"}), frozenset({"api"})])
TTLS = st.sampled_from([*SPANS[1:5], *SPANS[1:5], timedelta(0), timedelta(days=2)])
POLICIES = st.sampled_from(["reject", "cap", "overflow"])


class LedgerMachine(RuleBasedStateMachine):
    """Does the same to both, and compares after each step, or after a batch of them."""

    steps: ClassVar[int] = 0  # over all runs, for the figures
    replays: ClassVar[int] = 0
    batches: ClassVar[int] = 0

    @initialize(moment=st.sampled_from(MOMENTS))
    def begin(self, moment):
        self.now = moment
        self.number = 0
        self.models = [Ledger(), Ledger()]
        self.wallet_ids = self.open_wallets()
        self.batch: list[tuple[int | str, Command]] | None = None
        for kind, lives in (("purchase", None), ("trial", SPANS[5])):
            self.grant_something_live(0, kind, 60, lives)

    # Lots come in.

    @rule(
        which=WALLETS,
        repeat=REPEATS,
        kind=KINDS,
        amount=AMOUNTS,
        starts_in=st.sampled_from([None, None, None, *SPANS[:6], -SPANS[2]]),
        ends_in=st.sampled_from([None, *SPANS, -SPANS[0]]),
        features=FEATURES,
        priority=st.sampled_from([None, None, 0, 5, 60]),
        cost=st.sampled_from([0, 0, 2, 7]),
    )
    def grant(self, which, repeat, kind, amount, starts_in, ends_in, features, priority, cost):
        reference = self.reference(which, repeat)
        starts = None if starts_in is None else self.now + starts_in
        ends = None if ends_in is None else self.now + ends_in
        terms = {"starts": starts, "ends": ends, "features": features}
        terms |= {"priority": priority, "cost": cost}
        self.compare(
            lambda: self.models[which].grant(self.now, reference, kind, amount, terms),
            ask.Grant(
                **self.cause(which, reference),
                kind=kind,
                amount=amount,
                effective_at=starts,
                expires_at=ends,
                features=features,
                priority=priority,
                unit_cost=Decimal(cost),
                currency="eur" if cost else "",
            ),
        )

    @rule(which=WALLETS, kind=KINDS, amount=st.integers(5, 40), ends_in=LIVES)
    def grant_something_live(self, which, kind, amount, ends_in):
        self.grant(which, 99, kind, amount, None, ends_in, None, None, 0)

    @precondition(lambda self: self.named_lots(0))
    @rule(data=st.data(), repeat=REPEATS, amount=PARTS, cap=st.integers(0, 30), floor=PARTS)
    def renew_allowance(self, data, repeat, amount, cap, floor):
        used = [name for name in self.models[0].done if name.startswith("cycle:")]
        reference = used[repeat % len(used)] if used and repeat < 25 else self.new("cycle")
        ended = data.draw(st.sampled_from([None, *self.named_lots(0)]))
        ends = self.now + data.draw(st.sampled_from(SPANS[2:]))
        if reference in self.models[0].done and data.draw(st.booleans()):
            _, amount, ends, _ = self.models[0].done[reference][0]  # or hardly any would be repeats
        lot_id = None if ended is None else self.find_lot(0, ended.name)
        self.compare(
            lambda: self.models[0].renew(self.now, reference, amount, ends, ended, cap, floor),
            ask.RenewAllowance(
                **self.cause(0, reference),
                amount=amount,
                expires_at=ends,
                ended_lot_id=lot_id,
                rollover_cap=cap,
                rollover_floor=floor,
            ),
        )

    # Credits go out, and come back.

    @rule(which=WALLETS, repeat=REPEATS, amount=AMOUNTS, features=ASKED)
    def charge(self, which, repeat, amount, features):
        reference = self.reference(which, repeat)
        self.compare(
            lambda: self.models[which].charge(self.now, reference, amount, features),
            ask.Charge(**self.cause(which, reference), amount=amount, features=features),
        )

    @rule(which=WALLETS, amount=PARTS)
    def charge_a_little(self, which, amount):
        self.charge(which, 99, amount, frozenset())

    @rule(repeat=REPEATS, of=REPEATS, amount=st.one_of(st.none(), AMOUNTS), ours=st.booleans())
    def refund(self, repeat, of, amount, ours):
        self.give_back(self.reference(0, repeat), self.reference(0, of), amount, ours)

    @precondition(lambda self: self.models[0].drawn)
    @rule(data=st.data(), ours=st.booleans())
    def refund_a_real_charge(self, data, ours):
        of = data.draw(st.sampled_from(sorted(self.models[0].drawn)))
        taken = sum(part for _, part, _ in self.models[0].drawn[of])
        amount = data.draw(st.one_of(st.none(), st.integers(1, taken)))
        self.give_back(f"refund:{of}:{data.draw(st.integers(1, 3))}", of, amount, ours)

    @rule(repeat=REPEATS, amount=AMOUNTS)
    def deduct(self, repeat, amount):
        reference = self.reference(0, repeat)
        self.compare(
            lambda: self.models[0].deduct(self.now, reference, amount),
            ask.Deduct(**self.cause(0, reference), amount=amount),
        )

    # Holds.

    @rule(repeat=REPEATS, amount=AMOUNTS, ttl=TTLS, policy=POLICIES, features=ASKED)
    def hold(self, repeat, amount, ttl, policy, features):
        reference = self.reference(0, repeat)
        self.compare(
            lambda: self.models[0].hold(self.now, reference, amount, ttl, policy, features),
            ask.PlaceHold(
                **self.cause(0, reference),
                amount=amount,
                ttl=ttl,
                policy=policy,
                features=features,
            ),
        )

    @rule(amount=st.integers(1, 15), policy=POLICIES)
    def hold_a_little(self, amount, policy):
        self.hold(99, amount, SPANS[3], policy, frozenset())

    @precondition(lambda self: self.models[0].holds)
    @rule(data=st.data(), amount=st.one_of(st.integers(1, 15), AMOUNTS))
    def capture(self, data, amount):
        reference = self.some_hold(data)
        self.compare(
            lambda: self.models[0].capture(self.now, reference, amount),
            ask.Capture(**self.cause(0, reference), amount=amount),
        )

    @precondition(lambda self: self.models[0].holds)
    @rule(data=st.data())
    def release(self, data):
        reference = self.some_hold(data)
        self.compare(
            lambda: self.models[0].release(self.now, reference),
            ask.Release(**self.cause(0, reference)),
        )

    @precondition(lambda self: self.models[0].holds)
    @rule(data=st.data(), ttl=TTLS)
    def renew_hold(self, data, ttl):
        reference = self.some_hold(data)
        self.compare(
            lambda: self.models[0].renew_hold(self.now, reference, ttl),
            ask.RenewHold(**self.cause(0, reference), ttl=ttl),
        )

    # One lot, and both wallets.

    @precondition(lambda self: self.named_lots(0))
    @rule(data=st.data(), repeat=REPEATS, amount=st.one_of(st.none(), PARTS))
    def void(self, data, repeat, amount):
        lot = data.draw(st.sampled_from(self.named_lots(0)))
        reference, lot_id = self.reference(0, repeat), self.find_lot(0, lot.name)
        self.compare(
            lambda: self.models[0].void(self.now, reference, lot, amount),
            ask.Void(**self.cause(0, reference), lot_id=lot_id, amount=amount),
        )

    @precondition(lambda self: self.named_lots(0))
    @rule(data=st.data(), repeat=REPEATS, amount=st.one_of(PARTS, AMOUNTS))
    def claw_back(self, data, repeat, amount):
        lot = data.draw(st.sampled_from(self.named_lots(0)))
        reference, lot_id = self.reference(0, repeat), self.find_lot(0, lot.name)
        self.compare(
            lambda: self.models[0].claw_back(self.now, reference, lot, amount),
            ask.ClawBack(**self.cause(0, reference), lot_id=lot_id, amount=amount),
        )

    @precondition(lambda self: self.models[0].clawed)
    @rule(data=st.data(), repeat=REPEATS, amount=st.one_of(PARTS, AMOUNTS))
    def reinstate(self, data, repeat, amount):
        lots = [one for one in self.named_lots(0) if self.models[0].clawed_of(one)]
        lot = data.draw(st.sampled_from(lots))
        clawed = dict.fromkeys(one.reference for one in self.models[0].clawed_of(lot))
        reference, lot_id = self.reference(0, repeat), self.find_lot(0, lot.name)
        self.compare(
            lambda: self.models[0].reinstate(self.now, reference, lot, amount),
            ask.Reinstate(
                **self.cause(0, reference), of=tuple(clawed), lot_id=lot_id, amount=amount
            ),
        )

    @precondition(lambda self: self.named_lots(0))
    @rule(data=st.data(), is_frozen=st.sampled_from([True, False, False]))
    def freeze(self, data, is_frozen):
        lots = self.named_lots(0)
        lot = data.draw(st.sampled_from([one for one in lots if one.is_frozen] or lots))
        lot_id = self.find_lot(0, lot.name)
        self.compare(
            lambda: self.models[0].freeze(self.now, lot, is_frozen),
            ask.FreezeLot(**self.cause(0, self.new("freeze")), lot_id=lot_id, is_frozen=is_frozen),
        )

    @precondition(lambda self: self.named_lots(0))
    @rule(data=st.data(), repeat=REPEATS, ends_in=st.sampled_from([None, *SPANS, -SPANS[1]]))
    def change_expiry(self, data, repeat, ends_in):
        lot = data.draw(st.sampled_from(self.named_lots(0)))
        reference, lot_id = self.reference(0, repeat), self.find_lot(0, lot.name)
        ends = None if ends_in is None else self.now + ends_in
        self.compare(
            lambda: self.models[0].redate(self.now, reference, lot, ends),
            ask.ChangeExpiry(**self.cause(0, reference), lot_id=lot_id, expires_at=ends),
        )

    @rule(
        which=WALLETS,
        repeat=REPEATS,
        amount=AMOUNTS,
        kind=st.one_of(st.none(), KINDS),
        ends_in=LIVES,
        returns=st.booleans(),
    )
    def transfer(self, which, repeat, amount, kind, ends_in, returns):
        reference = self.reference(which, repeat)
        ends = None if ends_in is None else self.now + ends_in
        model, target = self.models[which], self.models[1 - which]
        self.compare(
            lambda: model.transfer(self.now, reference, target, amount, kind, ends, returns),
            ask.Transfer(
                **self.cause(which, reference),
                target_id=self.wallet_ids[1 - which],
                amount=amount,
                kind=kind,
                expires_at=ends,
                returns=returns,
            ),
        )

    @rule(which=WALLETS, amount=PARTS, ends_in=LIVES)
    def lend_a_little(self, which, amount, ends_in):
        self.transfer(which, 99, amount, "partner", ends_in, True)

    @precondition(lambda self: self.lent(0) or self.lent(1))
    @rule(data=st.data(), repeat=REPEATS, amount=st.one_of(st.none(), PARTS, AMOUNTS))
    def recall(self, data, repeat, amount):
        which = data.draw(st.sampled_from([one for one in (0, 1) if self.lent(one)]))
        names = data.draw(st.lists(st.sampled_from(self.lent(which)), unique=True, max_size=3))
        wrong = data.draw(st.sampled_from([None, None, None, *self.named_lots(which)]))
        reference = self.reference(which, repeat)
        model, target = self.models[which], self.models[1 - which]
        lots = [lot for lot in model.lots if lot.lent_as in names]
        lot_ids = [one for name in names for one in self.find_lots(which, name)]
        if wrong is not None:
            lots.append(wrong)
            lot_ids.append(self.find_lot(which, wrong.name))
        self.compare(
            lambda: model.recall(self.now, reference, target, lots, amount),
            Recall(
                **self.cause(which, reference),
                target_id=self.wallet_ids[1 - which],
                lots=tuple(lot_ids),
                amount=amount,
            ),
        )

    # What the wallet may do.

    @rule(dice=st.integers(0, 20), which=WALLETS)
    def change_status(self, dice, which):
        model = self.models[which]
        if dice < 2 or model.is_frozen or model.is_closed:
            self.compare(
                lambda: model.set_status(self.now, is_frozen=dice == 0, is_closed=dice == 1),
                ask.ChangeStatus(
                    **self.cause(which, self.new("status")),
                    is_frozen=dice == 0,
                    is_closed=dice == 1,
                ),
            )

    @rule(limit=st.sampled_from([0, 0, 10, 40, -1]))
    def set_credit_line(self, limit):
        self.compare(
            lambda: self.models[0].set_line(self.now, limit),
            ask.SetCreditLine(**self.cause(0, self.new("line")), limit=limit),
        )

    # Time.

    @rule()
    def expire(self):
        self.flush()
        for which, wallet_id in enumerate(self.wallet_ids):
            self.models[which].tick(self.now)
            self.run([ask.Expire(wallet_id=wallet_id, reference=self.new("sweep"), source="test")])

    @rule(span=st.sampled_from(SPANS[:7]))
    def wait(self, span):
        self.flush()
        self.now += span

    @precondition(lambda self: self.instants())
    @rule(data=st.data(), off=st.sampled_from([-1, 0, 1]))
    def wait_for_an_instant(self, data, off):
        self.flush()
        moment = data.draw(st.sampled_from(self.instants())) + timedelta(microseconds=off)
        self.now = max(self.now, moment)

    @rule()
    def begin_a_batch(self):
        self.flush()
        self.batch = []

    @invariant()
    def they_agree(self):
        if self.batch is not None:
            return
        for which, model in enumerate(self.models):
            assert self.totals(which) == (model.balance(), model.held())
            mine = [(lot.kind, str(lot.ends), lot.left) for lot in model.lots + model.debts]
            assert sorted(self.remaining(which)) == sorted(one for one in mine if one[2])

    def teardown(self):
        self.flush()
        self.they_agree()

    def give_back(self, reference, of, amount, ours):
        self.compare(
            lambda: self.models[0].refund(self.now, reference, of, amount, ours),
            ask.Refund(**self.cause(0, reference), of=of, amount=amount, is_our_fault=ours),
        )

    def named_lots(self, which):
        return [lot for lot in self.models[which].lots if lot.name]

    def lent(self, which) -> list[str]:
        """Return the references under which lots that return came into a wallet."""
        return sorted({lot.lent_as for lot in self.models[which].lots if lot.lent_as})

    def some_hold(self, data) -> str:
        """Return a hold's reference, most often of an open one; sometimes it is no hold at all."""
        model = self.models[0]
        still_open = [name for name, hold in model.holds.items() if hold.status == "held"]
        return data.draw(st.sampled_from([*still_open * 4, *model.holds, max(model.done)]))

    def instants(self) -> list[datetime]:
        ends = {lot.ends for model in self.models for lot in model.lots if lot.ends and lot.left}
        model = self.models[0]
        ends |= {hold.ends for hold in model.holds.values() if hold.status == "held"}
        ends |= {lot.starts for lot in model.lots}
        return sorted(end for end in ends if end > self.now)

    def reference(self, which: int, repeat: int) -> str:
        used = [name for name in sorted(self.models[which].done) if not name.startswith("cycle:")]
        return used[repeat % len(used)] if used and repeat < 25 else self.new("cause")

    def new(self, what: str) -> str:
        self.number += 1
        return f"{what}:{self.number}"

    def find_lot(self, which: int, origin: str) -> UUID:
        """Return the ledger's lot that this cause made, once the batch is posted."""
        self.flush()
        return dict(self.lot_ids(which))[origin]

    def find_lots(self, which: int, reference: str) -> list[UUID]:
        """Return the ledger's lots that came under this reference, once the batch is posted."""
        self.flush()
        return [id for origin, id in self.lot_ids(which) if origin.startswith(f"{reference}:lot_")]

    def compare(self, ask_model, command: Command) -> None:
        type(self).steps += 1
        try:
            expected: int | str = ask_model()
        except Refused as refusal:
            expected = str(refusal)
        if self.batch is None:
            self.check([(expected, command)])
            return
        self.batch.append((expected, command))
        if len(self.batch) == 4:
            self.flush()

    def flush(self) -> None:
        batch, self.batch = self.batch, None
        if batch:
            type(self).batches += 1
            self.check(batch)

    def check(self, pairs: list[tuple[int | str, Command]]) -> None:
        outcomes = self.run([command for _, command in pairs])
        for (expected, command), outcome in zip(pairs, outcomes, strict=True):
            if isinstance(outcome, DomainError):
                assert outcome.code == expected, command
            else:
                assert outcome.amount == expected, command
                type(self).replays += outcome.is_replayed

    def cause(self, which: int, reference: str) -> dict:
        return {"wallet_id": self.wallet_ids[which], "reference": reference, "source": "test"}

    def open_wallets(self) -> list[UUID]:
        raise NotImplementedError

    def run(self, commands: list[Command]) -> list[Outcome | DomainError]:
        raise NotImplementedError

    def totals(self, which: int) -> tuple[int, int]:
        raise NotImplementedError

    def remaining(self, which: int) -> list[tuple[str, str, int]]:
        raise NotImplementedError

    def lot_ids(self, which: int) -> list[tuple[str, UUID]]:
        raise NotImplementedError


class PlanMachine(LedgerMachine):
    """Drives the pure rules, with the state in memory."""

    def open_wallets(self):
        self.keys: set[tuple] = set()
        organization_id = ids.new_id()
        wallets = [self.new_wallet(organization_id) for _ in range(2)]
        self.state = State(now=self.now, wallets={wallet.id: wallet for wallet in wallets})
        return list(self.state.wallets)

    def new_wallet(self, organization_id: UUID) -> WalletState:
        return WalletState(
            id=ids.new_id(),
            organization_id=organization_id,
            balance=0,
            held=0,
            credit_line=0,
            sequence=0,
            head_hash=NO_HASH,
            head_at=None,
            frozen_at=None,
            closed_at=None,
        )

    def run(self, commands):
        self.state.now = self.now
        planned = plan(self.state, commands)
        for entry in planned.entries:
            key = (entry.wallet_id, entry.reference, entry.transaction_type, entry.lot_id)
            assert (*key, entry.reverses_id) not in self.keys, "the database would refuse it"
            self.keys.add((*key, entry.reverses_id))
        for lot in planned.new_lots.values():
            assert (lot.wallet_id, lot.origin) not in self.keys, "the database would refuse it"
            self.keys.add((lot.wallet_id, lot.origin))
        return planned.outcomes

    def totals(self, which):
        wallet = self.state.wallets[self.wallet_ids[which]]
        return wallet.balance, wallet.held

    def remaining(self, which):
        lots = self.state.lots_of(self.wallet_ids[which])
        return [(lot.kind, str(lot.expires_at), lot.remaining) for lot in lots if lot.remaining]

    def lot_ids(self, which):
        lots = self.state.lots_of(self.wallet_ids[which])
        return [(lot.origin, lot.id) for lot in lots]

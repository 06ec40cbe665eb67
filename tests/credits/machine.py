"""Random lives of a wallet, told to the model and to the ledger, which must agree."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from apps.core import ids
from apps.core.errors import DomainError
from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Charge, Command, Expire, Grant, Refund
from apps.credits.ledger.planning import plan
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
AMOUNTS = st.one_of(*[st.integers(1, 60)] * 9, st.sampled_from([0, -5, 10**15 + 1]))
LIVES = st.sampled_from([None, *SPANS[2:]])
PARTS = st.integers(1, 25)
REPEATS = st.integers(0, 99)  # below 25 a reference that was used before, else a new one
FEATURES = st.sampled_from([None, None, ("image.restyle",), ("compute", "storage")])
ASKED = st.sampled_from([frozenset(), frozenset({"image.restyle", "compute"}), frozenset({"api"})])


class LedgerMachine(RuleBasedStateMachine):
    """Does the same to both, and compares after each step."""

    steps: ClassVar[int] = 0  # over all runs, for the figures
    replays: ClassVar[int] = 0

    wallet_id: UUID

    @initialize(moment=st.sampled_from(MOMENTS))
    def begin(self, moment):
        self.now = moment
        self.number = 0
        self.model = Ledger()
        self.open_wallet()

    @rule(
        repeat=REPEATS,
        kind=st.sampled_from(sorted(PRIORITY)),
        amount=AMOUNTS,
        starts_in=st.sampled_from([None, None, None, *SPANS[:6], -SPANS[2]]),
        ends_in=st.sampled_from([None, *SPANS, -SPANS[0]]),
        features=FEATURES,
    )
    def grant(self, repeat, kind, amount, starts_in, ends_in, features):
        reference = self.reference(repeat)
        starts = None if starts_in is None else self.now + starts_in
        ends = None if ends_in is None else self.now + ends_in
        self.compare(
            lambda: self.model.grant(self.now, reference, kind, amount, starts, ends, features),
            Grant(
                **self.cause(reference),
                kind=kind,
                amount=amount,
                effective_at=starts,
                expires_at=ends,
                features=features,
            ),
        )

    @rule(repeat=REPEATS, amount=AMOUNTS, features=ASKED)
    def charge(self, repeat, amount, features):
        reference = self.reference(repeat)
        self.compare(
            lambda: self.model.charge(self.now, reference, amount, features),
            Charge(**self.cause(reference), amount=amount, features=features),
        )

    @rule(
        repeat=REPEATS,
        of=REPEATS,
        amount=st.one_of(st.none(), AMOUNTS),
        ours=st.booleans(),
    )
    def refund(self, repeat, of, amount, ours):
        self.give_back(self.reference(repeat), self.reference(of), amount, ours)

    @precondition(lambda self: self.model.drawn)
    @rule(data=st.data(), ours=st.booleans())
    def refund_a_real_charge(self, data, ours):
        of = data.draw(st.sampled_from(sorted(self.model.drawn)))
        taken = sum(part for _, part, _ in self.model.drawn[of])
        amount = data.draw(st.one_of(st.none(), st.integers(1, taken)))
        self.give_back(f"refund:{of}:{data.draw(st.integers(1, 3))}", of, amount, ours)

    @rule(kind=st.sampled_from(sorted(PRIORITY)), amount=st.integers(5, 40), ends_in=LIVES)
    def grant_something_live(self, kind, amount, ends_in):
        self.grant(99, kind, amount, None, ends_in, None)

    @rule(amount=PARTS)
    def charge_a_little(self, amount):
        self.charge(99, amount, frozenset())

    @rule(amount=PARTS, features=ASKED)
    def charge_for_an_event(self, amount, features):
        self.charge(99, amount, features)

    @rule()
    def expire(self):
        self.model.expire(self.now)
        self.run(Expire(**self.cause(f"sweep:{ids.new_id()}")))

    @rule(span=st.sampled_from(SPANS[:7]))
    def wait(self, span):
        self.now += span

    @precondition(lambda self: any(lot.ends for lot in self.model.lots))
    @rule(data=st.data(), off=st.sampled_from([-1, 0, 1]))
    def wait_for_an_expiry(self, data, off):
        ends = sorted({lot.ends for lot in self.model.lots if lot.ends})
        moment = data.draw(st.sampled_from(ends)) + timedelta(microseconds=off)
        self.now = max(self.now, moment)

    @rule(dice=st.integers(0, 5))
    def freeze_or_thaw(self, dice):
        is_frozen = dice == 0
        self.model.is_frozen = is_frozen
        self.set_status(is_frozen=is_frozen)

    @invariant()
    def they_agree(self):
        assert self.balance() == self.model.balance()
        mine = sorted((lot.kind, str(lot.ends), lot.left) for lot in self.model.lots if lot.left)
        assert sorted(self.remaining()) == mine

    def give_back(self, reference, of, amount, ours):
        self.compare(
            lambda: self.model.refund(self.now, reference, of, amount, ours),
            Refund(**self.cause(reference), of=of, amount=amount, is_our_fault=ours),
        )

    def reference(self, repeat: int) -> str:
        used = sorted(self.model.done)
        if used and repeat < 25:
            return used[repeat % len(used)]
        self.number += 1
        return f"cause:{self.number}"

    def compare(self, ask_model, command: Command) -> None:
        type(self).steps += 1
        try:
            expected: int | str = ask_model()
        except Refused as refusal:
            expected = str(refusal)
        outcome = self.run(command)
        if isinstance(outcome, DomainError):
            assert outcome.code == expected
        else:
            assert outcome.amount == expected
            type(self).replays += outcome.is_replayed

    def cause(self, reference: str) -> dict:
        return {"wallet_id": self.wallet_id, "reference": reference, "source": "test"}

    def open_wallet(self) -> None:
        raise NotImplementedError

    def run(self, command: Command) -> Outcome | DomainError:
        raise NotImplementedError

    def set_status(self, *, is_frozen: bool) -> None:
        raise NotImplementedError

    def balance(self) -> int:
        raise NotImplementedError

    def remaining(self) -> list[tuple[str, str, int]]:
        raise NotImplementedError


class PlanMachine(LedgerMachine):
    """Drives the pure rules, with the state in memory."""

    def open_wallet(self):
        self.wallet_id = ids.new_id()
        wallet = WalletState(
            self.wallet_id, ids.new_id(), 0, 0, 0, NO_HASH, None, is_frozen=False, is_closed=False
        )
        self.state = State(now=self.now, wallets={self.wallet_id: wallet})

    def run(self, command):
        self.state.now = self.now
        return plan(self.state, [command]).outcomes[0]

    def set_status(self, *, is_frozen):
        self.state.wallets[self.wallet_id].is_frozen = is_frozen

    def balance(self):
        return self.state.wallets[self.wallet_id].balance

    def remaining(self):
        lots = self.state.lots_of(self.wallet_id)
        return [(lot.kind, str(lot.expires_at), lot.remaining) for lot in lots if lot.remaining]

"""Every kind of command at a few shared wallets, from many connections, while time runs fast."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from unittest import mock
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.db.models import Sum

from apps.core.clock import database_now, moved_to
from apps.core.errors import DomainError
from apps.credits.ledger import commands as ask
from apps.credits.ledger import posting, rows
from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Charge, Command
from apps.credits.ledger.posting import post, post_one
from apps.credits.ledger.returning import Recall
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.services.expiry import sweep_expired_lots
from tests.people import make_organization
from tests.races.racing import at_once

SPEED = 600  # ten minutes pass in a second, so that lots and holds end while they are used
MINUTES = [timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 60)]


@dataclass
class Storm:
    """Some wallets of one organization, and everything that was done to them so far."""

    wallet_ids: list[UUID]
    seed: int
    begins: datetime = field(default_factory=database_now)
    began: float = field(default_factory=time.monotonic)
    asked: list[Command] = field(default_factory=list)  # shared, so that references meet again
    holds: list[tuple[UUID, str]] = field(default_factory=list)
    told: list[tuple[Command, str, int]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def rage(self, connections: int, steps: int) -> Counter[str]:
        """Do so many things on each of so many connections; return how they went."""
        at_once([lambda number=number: self._work(number, steps) for number in range(connections)])
        return Counter(said for _, said, _ in self.told)

    def now(self) -> datetime:
        """Return the moment that it is in here."""
        return self.begins + timedelta(seconds=(time.monotonic() - self.began) * SPEED)

    def wrongly_told(self) -> int:
        """Count the charges whose transactions are not what their callers were told."""
        charges = [one for one in self.told if isinstance(one[0], Charge)]
        kept = dict(
            CreditTransaction.objects.filter(wallet__in=self.wallet_ids)
            .filter(reference__startswith="charge:", transaction_type="consumed")
            .values_list("reference")
            .annotate(total=-Sum("amount"))
        )
        done = Counter(command.reference for command, said, _ in charges if said == "done")
        answered = {c.reference: -taken for c, said, taken in charges if said in ANSWERED}
        wrong = {reference for reference, times in done.items() if times != 1}
        wrong |= answered.keys() - done.keys()
        wrong |= {one for one, taken in answered.items() if kept.get(one, 0) != taken}
        return len(wrong | (kept.keys() - answered.keys()))

    def _work(self, number: int, steps: int) -> None:
        rng = random.Random(f"{self.seed}:{number}")
        for step in range(steps):
            with moved_to(self.now()):
                self._do_something(rng, f"{number}:{step}")

    def _do_something(self, rng: random.Random, name: str) -> None:
        dice = rng.random()
        try:
            if dice < 0.05:
                sweep_expired_lots(limit=rng.choice([1, 3, 200]))
            elif dice < 0.10:
                self._post_batch(rng, name)
            else:
                self._post(self._draw(rng, name))
        except DatabaseError as error:
            self.errors.append(str(error))

    def _post(self, command: Command) -> None:
        self.asked.append(command)
        try:
            with transaction.atomic():
                outcome: Outcome | DomainError = post_one(command)
        except DomainError as refusal:
            outcome = refusal
        self._tell(command, outcome)

    def _post_batch(self, rng: random.Random, name: str) -> None:
        batch = [self._draw(rng, f"{name}:{number}") for number in range(4)]
        with transaction.atomic():
            outcomes = post(batch)
        for command, outcome in zip(batch, outcomes, strict=True):
            self._tell(command, outcome)

    def _tell(self, command: Command, outcome: Outcome | DomainError) -> None:
        if isinstance(outcome, DomainError):
            self.told.append((command, outcome.code, 0))
            return
        if isinstance(command, ask.PlaceHold):
            self.holds.append((command.wallet_id, command.reference))
        taken = sum(one.amount for one in outcome.entries if one.transaction_type == "consumed")
        self.told.append((command, "replayed" if outcome.is_replayed else "done", taken))

    def _draw(self, rng: random.Random, name: str) -> Command:
        if self.asked and rng.random() < 0.15:
            return rng.choice(self.asked)
        kinds: Sequence[Callable[[random.Random, str], Command]] = (
            *(self._charge,) * 4,
            *(self._transfer,) * 4,
            *(self._hold,) * 3,
            *(self._settle,) * 4,
            *(self._recall,) * 2,
            *(self._grant, self._grant, self._renew, self._refund, self._lot, self._status),
        )
        return rng.choice(kinds)(rng, name)

    def _charge(self, rng: random.Random, name: str) -> Command:
        return ask.Charge(**self._cause(rng, f"charge:{name}"), amount=rng.randint(1, 30))

    def _transfer(self, rng: random.Random, name: str) -> Command:
        source, target = rng.sample(self.wallet_ids, 2)
        cause = {"wallet_id": source, "reference": f"transfer:{name}", "source": "storm"}
        returns = rng.random() < 0.5
        terms = {"amount": rng.randint(1, 9), "kind": "adjustment", "returns": returns}
        return ask.Transfer(**cause, target_id=target, **terms)

    def _recall(self, rng: random.Random, name: str) -> Command:
        lent = Lot.objects.filter(wallet__in=self.wallet_ids, returns_to__isnull=False)
        lots = list(lent.filter(has_credits=True).select_related("returns_to").order_by("id")[:20])
        if not lots:
            return self._transfer(rng, name)
        lot = rng.choice(lots)
        return Recall(
            wallet_id=lot.wallet_id,
            reference=f"recall:{name}",
            source="storm",
            target_id=lot.returns_to.wallet_id,
            lots=(lot.id,),
            amount=rng.choice([None, 1, 3]),
        )

    def _hold(self, rng: random.Random, name: str) -> Command:
        return ask.PlaceHold(
            **self._cause(rng, f"hold:{name}"),
            amount=rng.randint(1, 15),
            ttl=rng.choice(MINUTES),
            policy=rng.choice(["reject", "cap", "overflow"]),
        )

    def _settle(self, rng: random.Random, name: str) -> Command:
        if not self.holds:
            return self._hold(rng, name)
        wallet_id, reference = rng.choice(self.holds[-40:])
        cause = {"wallet_id": wallet_id, "reference": reference, "source": "storm"}
        return rng.choice(
            [
                ask.Capture(**cause, amount=rng.randint(1, 18)),
                ask.Release(**cause),
                ask.RenewHold(**cause, ttl=rng.choice(MINUTES)),
            ]
        )

    def _grant(self, rng: random.Random, name: str) -> Command:
        return ask.Grant(
            **self._cause(rng, f"grant:{name}"),
            kind=rng.choice(["promotional", "purchase"]),
            amount=rng.randint(5, 60),
            expires_at=self.now() + rng.choice(MINUTES),
        )

    def _renew(self, rng: random.Random, name: str) -> Command:
        cause = self._cause(rng, f"cycle:{name}")
        cycles = Lot.objects.filter(wallet=cause["wallet_id"], kind="subscription", priority=10)
        ended = cycles.filter(expires_at__lte=self.now()).order_by("-expires_at").first()
        return ask.RenewAllowance(
            **cause,
            amount=rng.randint(5, 30),
            expires_at=self.now() + rng.choice(MINUTES),
            ended_lot_id=ended.id if ended else None,
            rollover_cap=8,
            rollover_floor=1,
        )

    def _refund(self, rng: random.Random, name: str) -> Command:
        charges = [one for one in self.asked[-300:] if isinstance(one, Charge)]
        if not charges:
            return self._charge(rng, name)
        of = rng.choice(charges)
        return ask.Refund(
            wallet_id=of.wallet_id,
            reference=f"refund:{name}",
            source="storm",
            of=of.reference,
            amount=rng.choice([None, 1, 3]),
            is_our_fault=rng.random() < 0.5,
        )

    def _lot(self, rng: random.Random, name: str) -> Command:
        cause = self._cause(rng, f"lot:{name}")
        lot_ids = list(
            Lot.objects.filter(wallet=cause["wallet_id"], has_credits=True)
            .order_by("id")
            .values_list("id", flat=True)[:8]
        )
        if not lot_ids or rng.random() < 0.3:
            return ask.Deduct(**cause, amount=rng.randint(1, 5))
        if rng.random() < 0.5:
            return ask.Void(**cause, lot_id=rng.choice(lot_ids), amount=1)
        ends = self.now() + rng.choice(MINUTES)
        return ask.ChangeExpiry(**cause, lot_id=rng.choice(lot_ids), expires_at=ends)

    def _status(self, rng: random.Random, name: str) -> Command:
        cause = self._cause(rng, f"status:{name}")
        if rng.random() < 0.5:
            return ask.SetCreditLine(**cause, limit=rng.choice([0, 20, 50]))
        return ask.ChangeStatus(**cause, is_frozen=rng.random() < 0.1)

    def _cause(self, rng: random.Random, reference: str) -> dict:
        return {
            "wallet_id": rng.choice(self.wallet_ids),
            "reference": reference,
            "source": "storm",
        }


ANSWERED = ("done", "replayed")


def make_storm(wallets: int, *, seed: int) -> Storm:
    """Return a storm over fresh wallets of one organization, all of them too poor."""
    organization = make_organization()
    member = Wallet.Kind.MEMBER
    opened = [Wallet.objects.create(organization=organization, kind=member) for _ in range(wallets)]
    with transaction.atomic():
        post(
            [
                ask.Grant(
                    wallet_id=wallet.id,
                    reference="opening",
                    source="storm",
                    kind="purchase",
                    amount=60,
                )
                for wallet in opened
            ]
        )
    connection.close()  # it will hear of nothing that the others do
    return Storm([wallet.id for wallet in opened], seed)


_in_the_order_asked: ContextVar[list[UUID]] = ContextVar("in_the_order_asked")


@contextmanager
def locked_as_asked() -> Iterator[None]:
    """Lock wallets in the order in which commands name them: the control of the id order."""
    load, lock_wallets = posting.load, rows.lock_wallets
    as_asked = rows.LOCKED_WALLETS.replace(
        "WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        "JOIN unnest(%s::uuid[]) WITH ORDINALITY AS asked (id, place) USING (id)"
        " ORDER BY place FOR NO KEY UPDATE OF credits_wallet",
    )
    assert as_asked != rows.LOCKED_WALLETS

    def load_as_asked(commands):
        named = [one for command in commands for one in command.wallet_ids()]
        _in_the_order_asked.set(list(dict.fromkeys(named)))
        return load(commands)

    def lock_as_asked(ask_server, wallet_ids):
        return lock_wallets(ask_server, _in_the_order_asked.get())

    with (
        mock.patch.object(rows, "LOCKED_WALLETS", as_asked),
        mock.patch.object(rows, "lock_wallets", lock_as_asked),
        mock.patch.object(posting, "load", load_as_asked),
    ):
        yield

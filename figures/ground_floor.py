"""`make figures-1`: the ledger under races, with repeated causes, against a model."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock
from uuid import UUID

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from apps.core.errors import DomainError
from apps.core.invariants import Finding, verify
from apps.credits.ledger import rows
from apps.credits.ledger.commands import Charge
from apps.credits.ledger.posting import post_one
from apps.credits.models import CreditTransaction
from figures.lines import SEED, Report, scaled
from tests.credits.machine import PlanMachine
from tests.credits.test_machine import PostMachine
from tests.credits.wallets import make_wallet, make_wallets
from tests.database import migrated_database
from tests.races.racing import at_once

CONNECTIONS = 16
WALLETS = 20
REPEATED = 0.3
RACERS = 32


@dataclass(frozen=True)
class Intent:
    """What a client wants, before it asks."""

    wallet_id: UUID
    reference: str
    amount: int


def main() -> None:
    """Print every figure of the ground floor."""
    report = Report()
    with migrated_database():
        charges_with_repeats(report)
        one_reference_from_many(report)
        as_many_as_the_credits(report)
        the_trigger(report)
        the_rules(report)
        the_whole_ledger(report)
    report.end()


def charges_with_repeats(report: Report) -> None:
    """10,000 charges from 16 connections, 30 % of them repeated, on 20 wallets."""
    count = scaled(10_000)
    with report.figure("charges_with_repeats", asked=count) as figure:
        outcomes = run_charges(make_intents(count))
        figure.examined = len(outcomes)
        figure.failures = disagreements(outcomes) + len(broken_invariants())
    with report.figure("charges_without_the_lock", asked=scaled(400)) as figure:
        with lock_removed():
            outcomes = run_charges(make_intents(scaled(400), wallets=1))
        figure.examined = len(outcomes)
        went_wrong = Counter(said for _, said in outcomes)["error"] + disagreements(outcomes)
        figure.control = "red" if went_wrong else "green"


def make_intents(count: int, wallets: int = WALLETS) -> list[Intent]:
    """Return charges in random order; some name a cause that another one names as well."""
    rng = random.Random(SEED)
    wallet_ids = make_wallets(wallets, credits=count * 3)
    intents: list[Intent] = []
    for number in range(count):
        if intents and rng.random() < REPEATED:
            intents.append(rng.choice(intents))
        else:
            wallet_id = rng.choice(wallet_ids)
            intents.append(Intent(wallet_id, f"figure:{wallet_id}:{number}", rng.randint(1, 3)))
    rng.shuffle(intents)
    return intents


def run_charges(intents: list[Intent]) -> list[tuple[Intent, str]]:
    """Carry the intents out from 16 connections; return each with what was said of it."""
    shares = [intents[number::CONNECTIONS] for number in range(CONNECTIONS)]
    done = at_once([lambda share=share: [(one, charge(one)) for one in share] for share in shares])
    return [pair for pairs in done for pair in pairs]


def charge(intent: Intent) -> str:
    """Charge once, and say how it went: done, replayed, a refusal's code, or error."""

    command = Charge(
        wallet_id=intent.wallet_id,
        reference=intent.reference,
        amount=intent.amount,
        source="figure",
    )
    try:
        with transaction.atomic():
            outcome = post_one(command)
    except DomainError as refusal:
        return refusal.code
    except DatabaseError:
        return "error"
    return "replayed" if outcome.is_replayed else "done"


def disagreements(outcomes: list[tuple[Intent, str]]) -> int:
    """Count the causes that the ledger does not have exactly as the clients were told."""

    told = Counter(intent for intent, said in outcomes if said == "done")
    answered = {intent for intent, said in outcomes if said in ("done", "replayed")}
    entries = CreditTransaction.objects.filter(
        source="figure", reference__in=[intent.reference for intent, _ in outcomes]
    )
    kept = dict(entries.values_list("reference").annotate(total=-Sum("amount")))
    wrong = {intent for intent, times in told.items() if times != 1}
    wrong |= {intent for intent in answered if kept.get(intent.reference) != intent.amount}
    wrong |= {one for one, _ in outcomes if one.reference in kept and one not in answered}
    return len(wrong)


def one_reference_from_many(report: Report) -> None:
    """The same cause from 32 connections at once: charged once, each time."""
    rounds = scaled(40)
    with report.figure("one_cause_from_32", asked=rounds) as figure:
        for number in range(rounds):
            intent = Intent(make_wallet(credits=1000).id, f"twin:{number}", 7)
            said = at_once([lambda intent=intent: charge(intent)] * RACERS)
            figure.examined += 1
            figure.failures += Counter(said) != {"done": 1, "replayed": RACERS - 1}


def as_many_as_the_credits(report: Report) -> None:
    """32 connections at a wallet with credits for 20: exactly 20 are served."""
    rounds, credits = scaled(40), 20
    with report.figure("credits_for_20_of_32", asked=rounds) as figure:
        for number in range(rounds):
            wallet_id = make_wallet(credits=credits).id
            wants = [Intent(wallet_id, f"race:{number}:{racer}", 1) for racer in range(RACERS)]
            said = Counter(at_once([lambda want=want: charge(want) for want in wants]))
            figure.examined += 1
            figure.failures += said != {"done": credits, "insufficient_credits": RACERS - credits}
        figure.failures += len(broken_invariants())


def the_trigger(report: Report) -> None:
    """A transaction that continues no chain is refused; without the trigger verify finds it."""
    forge = """
        INSERT INTO credits_credittransaction
        SELECT (jsonb_populate_record(entry, jsonb_build_object(
                   'id', gen_random_uuid(), 'sequence', entry.sequence + 1000,
                   'reference', 'forged', 'balance_after', 10^9))).*
          FROM credits_credittransaction entry LIMIT 1
    """
    with report.figure("forged_transaction", asked=1) as figure, connection.cursor() as cursor:
        figure.examined = 1
        try:
            with transaction.atomic():
                cursor.execute(forge)
            figure.failures = 1
        except IntegrityError:
            pass
        with transaction.atomic():
            cursor.execute(
                "DROP TRIGGER credits_entries_continue_their_chains ON credits_credittransaction"
            )
            cursor.execute(forge)
            figure.control = "red" if broken_invariants() else "green"
            transaction.set_rollback(True)


def the_rules(report: Report) -> None:
    """The pure rules and a plain model through the same random lives."""
    steps = scaled(10_000)
    with report.figure("plan_equals_model", asked=steps) as figure:
        figure.failures = live_until(PlanMachine, steps)
        figure.examined = PlanMachine.steps
    with report.figure("plan_without_burn_order", asked=1) as figure:
        with mock.patch("apps.credits.ledger.state.burn_order", lambda lot: lot.id.int ^ 0xFFFF):
            figure.control = "red" if live_until(PlanMachine, PlanMachine.steps + 3000) else "green"
        figure.examined = 1


def the_whole_ledger(report: Report) -> None:
    """PostgreSQL and its triggers, and the model, through the same random lives."""

    steps = scaled(2_000)
    with report.figure("ledger_equals_model", asked=steps) as figure:
        with transaction.atomic():
            figure.failures = live_until(PostMachine, steps)
            transaction.set_rollback(True)
        figure.examined = PostMachine.steps


def live_until(machine: type, steps: int) -> int:
    """Run random lives until so many steps were compared; return 1 at the first divergence."""
    number = SEED
    chosen = settings(
        max_examples=50,
        stateful_step_count=50,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    while machine.steps < steps:
        number += 1
        try:
            run_state_machine_as_test(seed(number)(machine), settings=chosen)
        except AssertionError as divergence:
            print(f"    seed {number}: {divergence}")
            return 1
    return 0


def broken_invariants() -> list[Finding]:
    """Return what `manage.py verify` finds broken."""
    return [finding for finding in verify() if finding.failures]


@contextmanager
def lock_removed() -> Iterator[None]:
    """Read wallets without locking them, which is what the control is about."""
    unlocked = rows.LOCKED_WALLETS.replace("FOR NO KEY UPDATE", "")
    with mock.patch.object(rows, "LOCKED_WALLETS", unlocked):
        yield


if __name__ == "__main__":
    main()

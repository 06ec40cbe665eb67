"""Random lives against the plain model: PostgreSQL's, and those of rules broken on purpose."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from unittest import mock

from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from apps.credits.ledger import book, state
from apps.credits.ledger.book import Book
from apps.credits.ledger.commands import Charge
from apps.credits.ledger.rules import clawing, refunding, renewing, transferring
from apps.credits.ledger.state import LotState
from figures.lines import SEED, Report, scaled
from tests.credits.machine import LedgerMachine, PlanMachine
from tests.credits.test_machine import PostMachine

LIVES_AT_ONCE = 10
STEPS_OF_A_LIFE = 50
LIVES_TO_NOTICE = 400

# What a slip of the pen could do to a rule; each must be noticed by comparing lives.
BROKEN_RULES: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "lots burn in any order": lambda: mock.patch.object(
        state, "burn_order", lambda lot: lot.id.int ^ 0xFFFF
    ),
    "a lot lives at the instant of its end": lambda: mock.patch.object(
        LotState, "is_expired", lambda lot, now: bool(lot.expires_at and lot.expires_at < now)
    ),
    "a lot serves every event": lambda: mock.patch.object(
        LotState, "is_open", lambda lot, now, features: lot.is_live(now)
    ),
    "holds never end by themselves": lambda: mock.patch.object(
        Book, "_release_due_holds", return_value=None
    ),
    "a hold gives back first drawn first": lambda: mock.patch.object(
        book, "reversed", iter, create=True
    ),
    "a refund gives back first drawn first": lambda: mock.patch.object(
        refunding, "reversed", iter, create=True
    ),
    "the grace lot lives a day less": lambda: mock.patch.object(
        refunding, "GRACE", refunding.GRACE * 6 / 7
    ),
    "debts are not repaid": lambda: mock.patch.object(Book, "repay_debts", return_value=[]),
    "a transfer makes credits live longer": lambda: mock.patch.object(
        transferring, "min", max, create=True
    ),
    "the rollover has no cap": lambda: mock.patch.object(renewing, "min", max, create=True),
    "more is taken back than remains": lambda: mock.patch.object(
        clawing, "min", lambda asked, there: asked, create=True
    ),
    "a frozen lot can be drawn on": lambda: mock.patch.object(
        LotState, "is_live", _is_live_though_frozen
    ),
    "a frozen wallet can be charged": lambda: mock.patch.object(Charge, "takes_out", False),
}


def _is_live_though_frozen(lot: LotState, now: datetime) -> bool:
    return lot.remaining > 0 and lot.effective_at <= now and not lot.is_expired(now)


def the_model(report: Report) -> None:
    """The ledger and a plain model through the same lives: every command, and a moved clock."""
    steps = scaled(10_000)
    with report.figure("ledger_equals_model", asked=steps) as figure:
        number = SEED
        while PostMachine.steps < steps and not figure.failures:
            number += 1
            # A few at a time, and then rolled back: the last ones are as quick as the first.
            with transaction.atomic():
                figure.failures += diverges(PostMachine, number, lives=LIVES_AT_ONCE)
                transaction.set_rollback(True)
        figure.examined = PostMachine.steps
    with report.figure("rules_equal_model", asked=LIVES_TO_NOTICE) as figure:
        # The same lives as below: what is noticed there must not be noticed here.
        figure.failures += diverges(PlanMachine, SEED, lives=LIVES_TO_NOTICE)
        figure.examined = LIVES_TO_NOTICE
    with report.figure("broken_rules_are_noticed", asked=len(BROKEN_RULES)) as figure:
        for name, broken in BROKEN_RULES.items():
            with broken():
                is_noticed = diverges(PlanMachine, SEED, lives=LIVES_TO_NOTICE, is_quiet=True)
            figure.examined += 1
            if not is_noticed:
                figure.failures += 1
                print(f"    nobody noticed that {name}")
        figure.control = "green" if figure.failures else "red"


def diverges(
    machine: type[LedgerMachine], number: int, *, lives: int, is_quiet: bool = False
) -> bool:
    """Live so many random lives, and tell whether ledger and model ever disagreed."""
    chosen = settings(
        max_examples=lives,
        stateful_step_count=STEPS_OF_A_LIFE,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # the seed finds it again; shrinking takes minutes
    )
    try:
        run_state_machine_as_test(seed(number)(machine), settings=chosen)
    except (AssertionError, DatabaseError) as divergence:
        if not is_quiet:
            print(f"    seed {number}: {divergence}")
        return True
    return False

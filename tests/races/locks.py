"""Every lock that credits take, how to do without it, and a race that needs it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

from django.db.backends.utils import CursorWrapper

from figures.ground_floor import lock_removed
from tests.races import lock_races

CREDITS = Path(__file__).parents[2] / "apps" / "credits"
TAKEN = re.compile(r"select_for_update\(|FOR (?:NO KEY )?UPDATE|FOR (?:KEY )?SHARE|LOCK TABLE")
ROUNDS = 25


@dataclass(frozen=True)
class Lock:
    """A lock: where it is taken, how to do without it, and a race that needs it."""

    file: str  # below apps/credits
    race: Callable[[], bool]  # True: it went as it must
    removed: Callable[[], AbstractContextManager[None]]

    def is_what_orders(self) -> bool:
        """Race with it, and without it until that goes wrong."""
        if not all(self.race() for _ in range(2)):
            return False
        with self.removed():
            return not all(self.race() for _ in range(ROUNDS))


def how_often_taken() -> Counter[str]:
    """Count the locks in the source of credits, by file."""
    files = [path for path in CREDITS.rglob("*.py") if "migrations" not in path.parts]
    taken = {str(path.relative_to(CREDITS)): len(TAKEN.findall(path.read_text())) for path in files}
    return Counter({file: count for file, count in taken.items() if count})


@contextmanager
def sent_without(clause: str, instead: str = "", *, about: str) -> Iterator[None]:
    """Send Django's statements about a table without the lock that they ask for."""
    execute = CursorWrapper.execute

    def unlocked(cursor, sql, params=None):
        if about in sql:
            sql = re.sub(clause, instead, sql)
        return execute(cursor, sql, params)

    with mock.patch.object(CursorWrapper, "execute", unlocked):
        yield


def taken_from(table: str) -> Callable[[], AbstractContextManager[None]]:
    """Return how to do without the usual lock on rows of this table."""
    return partial(sent_without, r"FOR NO KEY UPDATE( SKIP LOCKED)?", about=table)


LOCKS = {
    "the_ledger_locks_wallets": Lock("ledger/rows.py", lock_races.charge_together, lock_removed),
    "the_sweep_skips_busy_wallets": Lock(
        "services/expiry.py",
        lock_races.sweep_around_a_busy_wallet,
        taken_from("credits_wallet"),
    ),
    "a_correction_locks_its_wallet": Lock(
        "services/corrections.py",
        lock_races.send_one_form_together,
        taken_from("credits_wallet"),
    ),
    "a_decision_locks_its_correction": Lock(
        "services/corrections.py",
        lock_races.decide_together,
        taken_from("credits_correction"),
    ),
    "a_change_of_terms_locks_its_wallet": Lock(
        "services/wallets.py", lock_races.freeze_together, taken_from("credits_wallet")
    ),
    "a_budget_locks_its_wallet": Lock(
        "services/budgets.py",
        lock_races.charge_while_a_budget_is_made,
        taken_from("credits_wallet"),
    ),
    "a_close_waits_for_writers": Lock(
        "services/closing.py",
        lock_races.close_while_somebody_writes,
        partial(sent_without, "LOCK TABLE.*", "SELECT 1", about="credits_credittransaction"),
    ),
    "a_month_is_locked_while_it_is_summed": Lock(
        "services/closing.py",
        lock_races.sum_one_month_together,
        taken_from("credits_closedperiod"),
    ),
}

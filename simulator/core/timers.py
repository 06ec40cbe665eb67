"""
What happens by itself when time passes: trials end, retries come, sessions expire.

A resource registers `@timer("name")` and asks for it with `tx.schedule(due, "name", id)`.
Timers of a test clock run when that clock is advanced, the others in the simulator's time.
"""

import logging
import threading
from collections.abc import Callable

from simulator.core.transaction import NOTES, Transaction
from simulator.core.values import Object
from simulator.core.world import World

type Timer = Callable[[Transaction, str], None]
type Failed = Callable[[Transaction, str], None]

logger = logging.getLogger("simulator")

TIMERS: dict[str, Timer] = {}
# What is left to do when a timer of this name has failed and was undone.
ON_FAILURE: dict[str, Failed] = {}
PAUSE_SECONDS = 0.5
LIMIT = 10_000


class TooMuch(Exception):
    """A test clock cannot be moved so far: too much happens on the way."""


def timer(name: str) -> Callable[[Timer], Timer]:
    """Register the function that is called with a transaction and the subject's id."""

    def register(function: Timer) -> Timer:
        TIMERS[name] = function
        return function

    return register


def advance(tx: Transaction, clock: Object, until: int) -> None:
    """
    Move a test clock, stopping at every timer on the way so that each sees its own time.

    :raises TooMuch: if there is no end of what happens on the way.
    """
    done = 0
    while (due := _first(tx.where(NOTES, clock=clock["id"]), until)) is not None:
        if done == LIMIT:
            raise TooMuch(f"More than {LIMIT} timers until {until}; the next is {due['name']}.")
        clock["frozen_time"] = max(clock["frozen_time"], due["due"])
        tx.remove(due)
        TIMERS[due["name"]](tx, due["subject"])
        done += 1
    clock["frozen_time"] = until


def run_due(world: World) -> int:
    """Run what is due in the simulator's own time, each in a transaction; return how many."""
    done = 0
    while done < LIMIT:
        with world.lock:
            rows = world.store.kinds[NOTES].rows.values()
            due = _first([row for row in rows if row["clock"] is None], world.now())
            if due is None:
                return done
            _run(world, due)
        done += 1
    return done


def _run(world: World, due: Object) -> None:
    """Run one timer, and never again: not even if it fails."""
    with world.transaction() as tx:
        tx.remove(tx.get(NOTES, due["id"]))
    try:
        with world.transaction() as tx:
            TIMERS[due["name"]](tx, due["subject"])
    except Exception:
        logger.exception("The timer %s of %s failed", due["name"], due["subject"])
        if failed := ON_FAILURE.get(due["name"]):
            with world.transaction() as tx:
                failed(tx, due["subject"])


def _first(rows: list[Object], until: int) -> Object | None:
    due = [row for row in rows if row["due"] <= until]
    return min(due, key=lambda row: row["due"], default=None)


class Ticker(threading.Thread):
    """Lets the simulator's own time pass; what is due at once happens at once."""

    def __init__(self, world: World) -> None:
        super().__init__(name="simulator-ticker", daemon=True)
        self.world = world
        self.ended = threading.Event()

    def end(self) -> None:
        """Let no more time pass."""
        self.ended.set()
        self.world.scheduled.set()

    def run(self) -> None:
        """Run due timers until told to end."""
        while not self.ended.is_set():
            self.world.scheduled.wait(PAUSE_SECONDS)
            self.world.scheduled.clear()
            run_due(self.world)
            if self.world.keys.may_be_purged():
                self.world.keys.purge()

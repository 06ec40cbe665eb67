"""Everything that one simulator holds, and the one lock around it."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from simulator.core.chaos import Chaos
from simulator.core.conformance import violations
from simulator.core.deliveries import Deliveries
from simulator.core.errors import StripeError
from simulator.core.idempotency import Keys
from simulator.core.limits import RateLimit
from simulator.core.store import Store
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.core.views import render

DELIVERED_HOSTS = ("127.0.0.1", "localhost", "::1")


type Starter = Callable[[Transaction], None]

STARTERS: list[Starter] = []


def starter(function: Starter) -> Starter:
    """Register what makes the objects that every account has from its first day."""
    STARTERS.append(function)
    return function


class World:
    """The state of one simulator."""

    def __init__(self, *, deliver_to: tuple[str, ...] = DELIVERED_HOSTS) -> None:
        self.lock = threading.RLock()
        self.scheduled = threading.Event()
        self.base_url = "http://127.0.0.1"
        self.store = Store()
        self.shift = 0
        self.keys = Keys(self.now)
        self.chaos = Chaos()
        self.limit = RateLimit()
        self.log: list[Object] = []
        self.changes = 0
        self.is_checked = False
        self.is_strict = False
        self.ignored: Counter[tuple[str, str]] = Counter()
        self.examined = 0
        self.violations: list[str] = []
        self.deliveries = Deliveries(self, deliver_to)

    def now(self) -> int:
        """Return the simulator's time in seconds, which can be moved forward."""
        return int(time.time()) + self.shift

    @contextmanager
    def transaction(self, **context: Any) -> Iterator[Transaction]:
        """Do something whole or not at all, alone; its events go out after it."""
        with self.lock:
            transaction = Transaction(self, **context)
            try:
                yield transaction
            except StripeError as error:
                if error.keeps_effects:
                    self._commit(transaction)
                else:
                    transaction.roll_back()
                raise
            except BaseException:
                transaction.roll_back()
                raise
            self._commit(transaction)

    def _commit(self, transaction: Transaction) -> None:
        events = transaction.commit()
        self.changes += 1
        for event in events:
            self.deliveries.enqueue(event)

    def endpoints_for(self, event_type: str) -> list[Object]:
        """Return the webhook endpoints that want to hear of this."""
        return [
            endpoint
            for endpoint in self.store.kinds["webhook_endpoint"].rows.values()
            if endpoint["status"] == "enabled"
            and ("*" in endpoint["enabled_events"] or event_type in endpoint["enabled_events"])
        ]

    def public(self, row: Object) -> Object:
        """Return an object as it looks from outside."""
        return render(self, row)

    def check(self, where: str, body: Object, schema: Any = None) -> None:
        """Hold an object that goes out against Stripe's description, if that is wanted."""
        if not self.is_checked:
            return
        found, examined = violations(body, schema)
        self.examined += examined
        self.violations.extend(f"{where}: {one}" for one in found)

    def begin(self) -> None:
        """Fill an empty world with what every account has."""
        with self.transaction() as transaction:
            for function in STARTERS:
                function(transaction)

    def reset(self) -> None:
        """Forget everything, chaos and deliveries too."""
        with self.lock:
            self.store.kinds.clear()
            self.keys.clear()
            self.chaos.clear()
            self.deliveries.clear()
            self.log.clear()
            self.shift = 0
            self.begin()

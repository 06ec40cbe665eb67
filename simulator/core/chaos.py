"""
Things that go wrong on purpose, for requests and for deliveries.

A rule says to what it applies, how often and what happens. Rules are set and taken away at
`/_sim/chaos`; chance comes from a seed, so a run can be repeated.
"""

import itertools
import random
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from simulator.core.errors import StripeError, invalid
from simulator.core.limits import exceeded
from simulator.core.values import Object

# What can happen to a request. Those "before" leave nothing behind, those "after" come when
# the effect is there and the answer is kept under its idempotency key.
REQUEST_EFFECTS = {
    "delay_before": "wait `seconds`, then do it",
    "delay_after": "do it, wait `seconds`, then answer",
    "conflict": "answer 409 and do nothing",
    "rate_limit": "answer 429 and do nothing",
    "error_before": "answer 500 and do nothing",
    "error_after": "do it, then answer 500",
    "drop_before": "do nothing and close the connection",
    "drop_after": "do it, then close the connection without an answer",
    "reset_before": "do nothing and reset the connection",
    "reset_after": "do it, then reset the connection",
    "timeout_before": "do nothing, stay silent for `seconds`, then close",
    "timeout_after": "do it, stay silent for `seconds`, then close",
    "webhook_first": "deliver the events before the answer is sent",
}
DELIVERY_EFFECTS = {
    "drop": "do not send this attempt; it counts as failed and is tried again",
    "lose": "never send it at all",
    "duplicate": "send it `copies` times more",
    "delay": "send it `seconds` later",
    "shuffle": "hold it until `batch` are there, then send them in any order",
}


@dataclass
class Rule:
    """What happens to which requests or deliveries."""

    id: str
    effect: str
    method: str = "*"
    path: str = "*"
    event: str = "*"
    chance: float = 1.0
    times: int | None = None
    skip: int = 0
    seconds: float = 1.0
    copies: int = 1
    batch: int = 5
    seed: int = 0
    used: int = 0
    dice: random.Random = field(default_factory=random.Random, repr=False)

    def applies(self) -> bool:
        """Count one occasion, and say whether it is hit."""
        if self.times is not None and self.used >= self.times:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.dice.random() >= self.chance:
            return False
        self.used += 1
        return True

    def shown(self) -> Object:
        """Return the rule as JSON."""
        return {name: value for name, value in vars(self).items() if name != "dice"}


NUMBERS: dict[str, type[int] | type[float]] = {
    "chance": float,
    "times": int,
    "skip": int,
    "seconds": float,
    "copies": int,
    "batch": int,
    "seed": int,
}


class Chaos:
    """The rules that hold."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self.rules: dict[str, Rule] = {}

    def add(self, given: Object) -> Rule:
        """
        Make a rule.

        :raises StripeError: if the effect is unknown, or a value is not a number.
        """
        effect = str(given.get("effect", ""))
        if effect not in REQUEST_EFFECTS and effect not in DELIVERY_EFFECTS:
            known = ", ".join([*REQUEST_EFFECTS, *DELIVERY_EFFECTS])
            raise invalid(f"Invalid effect: must be one of {known}", param="effect")
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name not in ("effect", "method", "path", "event", *NUMBERS):
                raise invalid(f"Received unknown parameter: {name}", param=name)
            try:
                values[name] = NUMBERS.get(name, str)(value)
            except (TypeError, ValueError):
                raise invalid(f"Invalid number: {value}", param=name) from None
        with self._lock:
            rule = Rule(f"chaos_{next(self._ids)}", **values)
            rule.dice.seed(rule.seed)
            self.rules[rule.id] = rule
        return rule

    def remove(self, id_: str) -> None:
        """Take a rule away, if it is there."""
        with self._lock:
            self.rules.pop(id_, None)

    def clear(self) -> None:
        """Take all rules away."""
        with self._lock:
            self.rules.clear()

    def for_request(self, method: str, path: str) -> dict[str, Rule]:
        """Return what happens to this request."""
        if not self.rules:
            return {}
        with self._lock:
            return {
                rule.effect: rule
                for rule in self.rules.values()
                if rule.effect in REQUEST_EFFECTS
                and rule.method in ("*", method)
                and fnmatchcase(path, rule.path)
                and rule.applies()
            }

    def for_delivery(self, event_type: str) -> dict[str, Rule]:
        """Return what happens to this attempt to deliver."""
        if not self.rules:
            return {}
        with self._lock:
            return {
                rule.effect: rule
                for rule in self.rules.values()
                if rule.effect in DELIVERY_EFFECTS
                and fnmatchcase(event_type, rule.event)
                and rule.applies()
            }


def refuse(hits: dict[str, Rule]) -> None:
    """
    Refuse a request before anything is done.

    :raises StripeError: if a rule wants it.
    """
    if "conflict" in hits:
        raise StripeError(
            409, "idempotency_error", "Simulated conflict.", code="idempotency_key_in_use"
        )
    if "rate_limit" in hits:
        raise exceeded()
    if "error_before" in hits:
        raise failure()


def failure() -> StripeError:
    """Return an error of Stripe's own."""
    return StripeError(500, "api_error", "Simulated: an unknown error occurred.")

"""
What an event of Stripe's means to us: a table of handlers, by the event's type.

A module of services says `@handles("refund.created", ...)` above a function; `handlers`
imports these modules. What a handler is given is the object as it is at Stripe now, and not
as it was when the event was told, because events come in any order. It runs in one
transaction with the end of its event, asks nobody, and may run again: its effects have keys
of their own (docs/flows.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.billing.gateway import objects
from apps.billing.models import Customer

Json = Mapping[str, Any]


class NotKnownYet(Exception):
    """The event is about something that we have not written down: later, or never ours."""


@dataclass(frozen=True)
class News:
    """An event, and what Stripe says now of the object that it is about."""

    type: str
    about: Json  # as it is now
    told: Json  # as it was when the event was told
    customer: Customer | None  # locked; None where the object names no customer


@dataclass(frozen=True)
class Handler:
    """How one type of event is handled: ask outside a transaction, then apply inside one."""

    fetch: Callable[[Json], Json]
    apply: Callable[[News], None]


_handlers: dict[str, Handler] = {}


def as_it_is_now(told: Json) -> Json:
    """Ask Stripe for the object of an event; one that was deleted is returned as told."""
    if told.get("deleted") or not objects.knows(told["object"]):
        return told
    return objects.retrieve(told["object"], told["id"])


def handles(
    *types: str, fetch: Callable[[Json], Json] = as_it_is_now
) -> Callable[[Callable[[News], None]], Callable[[News], None]]:
    """Let a function handle these types; `fetch` asks Stripe for what it needs to know."""

    def register(function: Callable[[News], None]) -> Callable[[News], None]:
        for one in types:
            assert one not in _handlers, f"two functions handle {one}"
            _handlers[one] = Handler(fetch, function)
        return function

    return register


def handler_of(event_type: str) -> Handler | None:
    """Return what handles this type, or None if nothing of ours depends on it."""
    return _handlers.get(event_type)

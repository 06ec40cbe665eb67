"""Who is acting, and in which request: set once at the edge, read where rows are written."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Context:
    """The cause of whatever happens now."""

    actor: str = "system"  # user:usr_…, key:key_…, or system:<task>
    request_id: str = ""
    ip_address: str | None = None
    acting_as: str = ""  # user:usr_…: in whose place the actor acts, if in another's
    user_agent: str = ""  # as the program calls itself, so not to be trusted


_current: ContextVar[Context] = ContextVar("coffer_context", default=Context())  # noqa: B039  it is frozen


def current() -> Context:
    """Return the context of this request or task."""
    return _current.get()


def set_actor(actor: str, *, acting_as: str = "") -> None:
    """Name who is acting, and in whose place, for the rest of this request."""
    _current.set(replace(_current.get(), actor=actor, acting_as=acting_as))


@contextmanager
def acting(
    *,
    actor: str | None = None,
    request_id: str | None = None,
    ip_address: str | None = None,
    acting_as: str | None = None,
    user_agent: str | None = None,
) -> Iterator[None]:
    """Act in another name, or another request, for the length of a block."""
    given = {
        "actor": actor,
        "request_id": request_id,
        "ip_address": ip_address,
        "acting_as": acting_as,
        "user_agent": user_agent,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    token = _current.set(replace(_current.get(), **changed))
    try:
        yield
    finally:
        _current.reset(token)

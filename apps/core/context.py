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


_current: ContextVar[Context] = ContextVar("coffer_context", default=Context())  # noqa: B039  it is frozen


def current() -> Context:
    """Return the context of this request or task."""
    return _current.get()


def set_actor(actor: str) -> None:
    """Name who is acting, for the rest of this request."""
    _current.set(replace(_current.get(), actor=actor))


@contextmanager
def acting(
    *, actor: str | None = None, request_id: str | None = None, ip_address: str | None = None
) -> Iterator[None]:
    """Act in another name, or another request, for the length of a block."""
    before = _current.get()
    token = _current.set(
        Context(
            actor=before.actor if actor is None else actor,
            request_id=before.request_id if request_id is None else request_id,
            ip_address=before.ip_address if ip_address is None else ip_address,
        )
    )
    try:
        yield
    finally:
        _current.reset(token)

"""
For which organization this code works: what tenant tables show, and what the database shows.

Entered at the edge, read where rows are asked for. Without a scope the managers of tenant
tables raise (apps.core.rows), and under the role of the web the database shows nothing
(apps.core.walls). Whoever works across organizations says why.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID


class NoOrganization(RuntimeError):
    """A tenant table was asked without an organization: a mistake of ours, never of a caller."""


@dataclass(frozen=True)
class Scope:
    """What may be seen: nothing, until something of it is set."""

    organization_id: UUID | None = None
    user_id: UUID | None = None  # who signed in: sees which organizations are his
    secret: tuple[str, bytes] | None = None  # kind and digest: opens the organization it is of
    reason: str = ""  # why rows of every organization are asked for; empty: they are not
    clock_at: datetime | None = None  # where time stands still in the organization: a sandbox

    @property
    def is_open(self) -> bool:
        """Whether tenant tables may be asked at all."""
        return bool(self.organization_id or self.secret or self.reason)


NOTHING = Scope()
_current: ContextVar[Scope | None] = ContextVar("coffer_scope", default=None)
_of_process = {"scope": NOTHING}


def current() -> Scope:
    """Return the scope of this request or task; outside of one, that of the process."""
    return _current.get() or _of_process["scope"]


def whole_process(reason: str) -> None:
    """Let a program that is no web server see every organization, and say why."""
    _of_process["scope"] = Scope(reason=reason)


@contextmanager
def entered(scope: Scope) -> Iterator[None]:
    """Work in this scope for the length of a block; what it sets in between ends there, too."""
    token = _current.set(scope)
    try:
        yield
    finally:
        _current.reset(token)


def within(organization_id: UUID, clock_at: datetime | None = None) -> AbstractContextManager[None]:
    """
    Work in one organization for the length of a block, at `clock_at` if it is a sandbox.

    Whoever is in the organization already stays at its moment.
    """
    return entered(_of(organization_id, clock_at))


def _of(organization_id: UUID, clock_at: datetime | None) -> Scope:
    now = current()
    if now.organization_id == organization_id:
        clock_at = clock_at or now.clock_at
    return replace(now, organization_id=organization_id, clock_at=clock_at, secret=None, reason="")


def every_organization(reason: str) -> AbstractContextManager[None]:
    """See the rows of every organization for the length of a block, and say why."""
    return entered(Scope(user_id=current().user_id, reason=reason))


def opened_by(kind: str, digest: bytes) -> AbstractContextManager[None]:
    """Work, for the length of a block, in the organization that a secret of it opens."""
    now = current()
    return entered(
        replace(now, organization_id=None, clock_at=None, secret=(kind, digest), reason="")
    )


def set_organization(organization_id: UUID, clock_at: datetime | None = None) -> None:
    """Work in this organization for the rest of the request, at `clock_at` if it is a sandbox."""
    _current.set(_of(organization_id, clock_at))


def set_user(user_id: UUID) -> None:
    """Name who signed in, for the rest of the request."""
    _current.set(replace(current(), user_id=user_id))


def kept[T](parts: Iterable[T]) -> Iterator[T]:
    """Yield what is made while it is read, each part in the scope in which this was called."""
    scope = current()

    def resumed() -> Iterator[T]:
        remaining = iter(parts)
        while True:
            with entered(scope):
                try:
                    part = next(remaining)
                except StopIteration:
                    return
            yield part

    return resumed()

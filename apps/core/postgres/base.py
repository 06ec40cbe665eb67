"""
Tell PostgreSQL for whom a statement works, in the same trip and for one transaction only.

The settings `coffer.organization_id` and `coffer.user_id` decide what row-level security
shows. They are always set with `set_config(…, true)`: at the end of the transaction they
are gone, so that behind a pooler no other client ever meets them. A statement outside a
transaction travels with them in one message, which the server runs as one transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.backends.postgresql import base
from psycopg import ServerCursor, sql

from apps.core import readonly, scope
from apps.core.scope import Scope


@dataclass(frozen=True)
class Told:
    """What a transaction was told: an organization (or the digest that opens one), and who."""

    opener: str = ""  # a function of the database, which knows whose the digest is
    organization: str = ""
    user: str = ""

    def statement(self) -> str:
        """Return what tells it, with two placeholders."""
        organization = f"coalesce({self.opener}(%s::bytea)::text, '')" if self.opener else "%s"
        return (
            f"SELECT set_config('coffer.organization_id', {organization}, true),"
            " set_config('coffer.user_id', %s, true)"
        )

    def text(self) -> str:
        """Return what tells it as one text."""
        return self.statement() % (_quoted(self.organization), _quoted(self.user))


NOBODY = Told()
# What opens an organization before anybody is known: functions of migrations of the apps above.
OPENERS = {
    "api_key": "coffer_organization_of_api_key",
    "invitation": "coffer_organization_of_invitation",
    "programme_claim": "coffer_organization_of_programme_claim",
    "worker_claim": "coffer_organization_of_worker_claim",
}


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that knows what its transaction was told."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: Told | None = NOBODY  # None: it may be anything
        self.execute_wrappers.append(self._execute_told)

    def to_tell(self) -> Told | None:
        """
        Return for whom what follows works; None if the database knows.

        It must be told before what follows, in the transaction of what follows.
        """
        wanted = told_of(scope.current())
        known = self._told if self.in_atomic_block else NOBODY
        if self.in_atomic_block:
            self._told = wanted
        return None if wanted == known else wanted

    def _execute_told(
        self,
        execute: Callable[..., Any],
        statement: Any,
        parameters: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        readonly.check(
            statement if isinstance(statement, str) else statement.as_string(self.connection)
        )
        told = self.to_tell()
        if told is None:
            return execute(statement, parameters, many, context)
        cursor = context["cursor"].cursor
        if many or isinstance(cursor, ServerCursor):
            return self._execute_after(told, execute, statement, parameters, many, context)
        if not isinstance(statement, str):
            statement = statement.as_string(self.connection)
        result = execute(f"{told.text()}; {statement}", parameters, many, context)
        cursor.nextset()
        return result

    def _execute_after(self, told: Told, execute: Callable[..., Any], *arguments: Any) -> Any:
        """Send first what is to be told: these statements do not travel together."""
        if self.in_atomic_block:
            self.connection.execute(told.text())
            return execute(*arguments)
        with self.connection.transaction():
            self.connection.execute(told.text())
            return execute(*arguments)

    def _set_autocommit(self, autocommit: bool) -> None:
        self._told = NOBODY
        super()._set_autocommit(autocommit)  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        self._told = told_of(scope.current())  # a failed transaction takes no other statement
        super()._savepoint_rollback(sid)  # type: ignore[misc]
        self._told = None  # what was told in the part that is undone is undone as well

    def connect(self) -> None:
        """Open the connection; its session was told nothing."""
        self._told = NOBODY
        super().connect()


def told_of(now: Scope) -> Told:
    """Return what the database is told of a scope."""
    user = str(now.user_id or "")
    if now.secret:
        kind, digest = now.secret
        return Told(OPENERS[kind], f"\\x{digest.hex()}", user)
    return Told("", str(now.organization_id or ""), user)


def _quoted(text: str) -> str:
    return sql.Literal(text).as_string()

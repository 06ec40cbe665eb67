"""`manage.py database_roles`: make the roles in which web and staff log in to the database."""

from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from psycopg import sql

from apps.core.walls import STAFF, WEB
from apps.core.walls.asking import ask

SECONDS = 10  # until a server that does not answer counts as one that refuses


class Command(BaseCommand):
    """
    Make what is missing of the roles, and set passwords that changed; a second run does nothing.

    Runs as the owner (DATABASE_OWNER_URL), who must be allowed to make roles. Where he is
    not, it prints what somebody who is must run, once.
    """

    help = "Make the roles of the database in which web and staff log in."

    def handle(self, *args: Any, **options: Any) -> None:
        """
        Make the two roles, and the logins that are members of them.

        :raises CommandError: if something is missing that we may not make.
        """
        ((owner, may_make),) = ask(
            "SELECT rolname, rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        wanted = [(WEB, "web"), (STAFF, "staff")]
        missing = [statement for role, _ in wanted for statement in self.role(role)]
        for group, key in wanted:
            login = settings.DATABASE_LOGINS.get(key)
            if login and login["name"] != owner:
                missing += self.login(group, **login)
        if missing and not may_make:
            shown = "\n".join(f"  {hidden};" for _, hidden in missing)
            raise CommandError(f"{owner} may not make roles. Let a superuser run, once:\n{shown}")
        with connection.cursor() as cursor:
            for statement, hidden in missing:
                cursor.execute(statement)
                self.stdout.write(hidden)
        self.stdout.write(f"roles made={len(missing)}")

    def role(self, name: str) -> list[tuple[Any, str]]:
        """Return what makes a role that nobody logs in as, unless it is there; and how to say."""
        if ask("SELECT FROM pg_roles WHERE rolname = %s", name):
            return []
        return [(f"CREATE ROLE {name} NOLOGIN", f"CREATE ROLE {name} NOLOGIN")]

    def login(self, group: str, *, name: str, password: str) -> list[tuple[Any, str]]:
        """
        Return what makes a login and a member of a role of it; passwords are not said.

        One that is there gets the password of its address if it is let in by another.
        """
        statements: list[tuple[Any, str]] = []
        is_there = bool(ask("SELECT FROM pg_roles WHERE rolname = %s", name))
        if not is_there or not lets_in(name, password):
            verb = "ALTER" if is_there else "CREATE"
            make = sql.SQL(f"{verb} ROLE {{}} LOGIN PASSWORD {{}}").format(
                sql.Identifier(name), sql.Literal(password)
            )
            statements.append((make, f"{verb} ROLE {name} LOGIN PASSWORD '…'"))
        is_member = ask(
            "SELECT FROM pg_auth_members JOIN pg_roles member ON member.oid = member"
            " WHERE roleid = to_regrole(%s) AND member.rolname = %s",
            *(group, name),
        )
        if not is_member:
            join = sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(name))
            statements.append((join, f"GRANT {group} TO {name}"))
        return statements


def lets_in(name: str, password: str) -> bool:
    """Tell whether the server of this connection takes the password; only by trying is it told."""
    address = connection.get_connection_params() | {"user": name, "password": password}
    try:
        psycopg.connect(**address, connect_timeout=SECONDS).close()
    except psycopg.OperationalError:
        return False
    return True

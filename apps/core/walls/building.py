"""Build the walls in the database: only what is missing, so that a second run does nothing."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from django.db.utils import ProgrammingError
from psycopg import errors as postgres

from apps.core.rows import organization_field
from apps.core.walls import EVERYTHING, MINE, STAFF, WEB, Wall
from apps.core.walls.asking import ask

READ = "SELECT"
COLUMNS_TO_UPDATE = re.compile(r"UPDATE \(([a-z_, ]+)\)")
# Tables of others that the web only reads: what people may do there is not its to decide.
ONLY_READ = ("django_migrations", "django_content_type", "auth_", "tenants_user_", "djstripe_")


@dataclass(frozen=True)
class Policy:
    """One policy of one table."""

    table: str
    name: str
    clause: str  # what follows `ON table`

    @property
    def mark(self) -> str:
        """The first half of the comment by which it is known to be as it should."""
        return hashlib.sha256(self.clause.encode()).hexdigest()[:16]


# A policy as the catalogue has it, in one word: the second half of its comment, so that a
# policy which was altered since is known by that as well.
AS_IT_IS = """
    md5(concat_ws('|', policy.polcmd, policy.polpermissive, policy.polroles::regrole[]::text,
                  pg_get_expr(policy.polqual, policy.polrelid),
                  pg_get_expr(policy.polwithcheck, policy.polrelid)))
"""
# Name, first half of the comment, and whether the second half is right.
POLICIES = f"""
    SELECT policy.polname, split_part(comment, ' ', 1), split_part(comment, ' ', 2) = {AS_IT_IS}
      FROM pg_policy policy
     CROSS JOIN LATERAL coalesce(obj_description(policy.oid, 'pg_policy'), '') AS comment
     WHERE policy.polrelid = to_regclass(%s)
"""  # noqa: S608


def walls() -> dict[str, Wall]:
    """Return the wall of every table of ours, by its name; of those that need none, too."""
    return {
        model._meta.db_table: wall_of(model)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }


def wall_of(model: type[Model]) -> Wall:
    """Return what a model says of itself, or what follows from its name and columns."""
    said = model.__dict__.get("WALL")
    if isinstance(said, Wall):
        return said
    has_organization = organization_field(model) is not None
    web = READ if model._meta.db_table.startswith(ONLY_READ) else EVERYTHING
    return Wall(whose="organization_id" if has_organization else "", web=web)


def policies_of(table: str, wall: Wall, owner: str, has_staff: bool) -> Iterator[Policy]:
    """Yield the policies that make the wall of a table; its owner and staff pass it."""
    if wall.whose:
        own = f"{wall.whose} = (SELECT coffer_organization())"
        yield Policy(table, "coffer_organization", f"FOR ALL USING ({own}) WITH CHECK ({own})")
    if wall.person:
        his = f"{wall.person} = {MINE}"
        yield Policy(table, "coffer_person", f"FOR ALL USING ({his}) WITH CHECK ({his})")
    if wall.also_read:
        yield Policy(table, "coffer_also_read", f"FOR SELECT USING ({wall.also_read})")
    if wall.also_add:
        yield Policy(table, "coffer_also_add", f"FOR INSERT WITH CHECK ({wall.also_add})")
    passing = f'"{owner}"' + (f", {STAFF}" if has_staff else "")
    yield Policy(table, "coffer_everywhere", f"FOR ALL TO {passing} USING (true) WITH CHECK (true)")


def policies_on(table: str) -> list[Any]:
    """Return name, mark and whether it is as it was made, of every policy that the table has."""
    return ask(POLICIES, f'"{table}"')


def build() -> None:
    """Make roles, if that is ours to do, and walls and privileges, in one transaction."""
    with transaction.atomic():
        known = make_roles()
        tables = _tables()
        for table, wall in sorted(walls().items()):
            if table in tables:
                _build_wall(table, wall, has_staff=STAFF in known)
        _let_triggers_see_everything()
        for role in known:
            _grant(role, tables)


def make_roles() -> set[str]:
    """Make the two roles, without log-in, where we may; return those that are there."""
    with connection.cursor() as cursor:
        for role in (WEB, STAFF):
            cursor.execute(
                "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
                " AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)",
                [role],
            )
            if cursor.fetchone() == (True,):
                _make_role(role)
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [[WEB, STAFF]])
        return {name for (name,) in cursor.fetchall()}


def _make_role(role: str) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE {role} NOLOGIN")
    except ProgrammingError as error:  # another database of the cluster was quicker
        if not isinstance(error.__cause__, postgres.DuplicateObject):
            raise


def _tables() -> dict[str, str]:
    """Return the tables of our schema, and who owns each."""
    return dict(
        ask(
            "SELECT relname, pg_get_userbyid(relowner) FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
        )
    )


def _build_wall(table: str, wall: Wall, *, has_staff: bool) -> None:
    ((owner, is_on),) = ask(
        "SELECT pg_get_userbyid(relowner), relrowsecurity AND relforcerowsecurity"
        "  FROM pg_class WHERE oid = to_regclass(%s)",
        f'"{table}"',
    )
    there = {
        name: mark if is_same else ""
        for name, mark, is_same in policies_on(table)
        if name.startswith("coffer_")
    }
    wanted = list(policies_of(table, wall, owner, has_staff)) if wall.stands else []
    for name in there.keys() - {policy.name for policy in wanted}:
        _run(f'DROP POLICY "{name}" ON "{table}"')
    for policy in wanted:
        if there.get(policy.name) != policy.mark:
            _build_policy(policy)
    if wall.stands and not is_on:
        _run(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')


def _build_policy(policy: Policy) -> None:
    on = f'"{policy.name}" ON "{policy.table}"'
    _run(f"DROP POLICY IF EXISTS {on}", f"CREATE POLICY {on} {policy.clause}")
    ((as_it_is,),) = ask(
        f"SELECT {AS_IT_IS} FROM pg_policy policy"  # noqa: S608
        " WHERE policy.polrelid = to_regclass(%s) AND policy.polname = %s",
        *(f'"{policy.table}"', policy.name),
    )
    _run(f"COMMENT ON POLICY {on} IS '{policy.mark} {as_it_is}'")


def _let_triggers_see_everything() -> None:
    """
    Run the functions of triggers as the owner of the tables.

    They compare rows that the web's scope may hide from it (what is checked at commit, when
    the scope has moved on), and a guard that sees nothing finds nothing wrong.
    """
    functions = ask("""
        SELECT DISTINCT function.oid::regprocedure::text
          FROM pg_trigger trigger
          JOIN pg_class related ON related.oid = trigger.tgrelid
          JOIN pg_proc function ON function.oid = trigger.tgfoid
         WHERE NOT trigger.tgisinternal AND NOT function.prosecdef
           AND related.relnamespace = current_schema()::regnamespace
           AND function.pronamespace = current_schema()::regnamespace
           AND pg_has_role(function.proowner, 'MEMBER')
    """)
    for (function,) in functions:
        _run(f"ALTER FUNCTION {function} SECURITY DEFINER")
        _pin(function)
    openers = ask("""
        SELECT oid::regprocedure::text FROM pg_proc
         WHERE pronamespace = current_schema()::regnamespace AND prosecdef
           AND proconfig IS NULL AND pg_has_role(proowner, 'MEMBER')
    """)
    for (function,) in openers:
        _pin(function)


def _pin(function: str) -> None:
    """Let the function find our tables, and nothing that its caller put in their place."""
    ((schema,),) = ask("SELECT quote_ident(current_schema())")
    _run(f"ALTER FUNCTION {function} SET search_path = {schema}, pg_temp")


def _grant(role: str, tables: dict[str, str]) -> None:
    ((schema,),) = ask("SELECT quote_ident(current_schema())")
    _run(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
    _run(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}")
    known = walls()
    for table in tables:
        wall = known.get(table, Wall(whose="", web=READ, staff=READ))
        _grant_table(role, table, wall.web if role == WEB else wall.staff)


def _grant_table(role: str, table: str, wanted: str) -> None:
    everything = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    held = {
        privilege
        for privilege, is_held in ask(
            "SELECT one, has_table_privilege(%s, to_regclass(%s), one)"
            "  FROM unnest(%s::text[]) AS one",
            *(role, f'"{table}"', list(everything)),
        )
        if is_held
    }
    of_columns = COLUMNS_TO_UPDATE.search(wanted)
    asked = {one for one in everything if one in COLUMNS_TO_UPDATE.sub("", wanted)}
    if held - asked:
        _run(f'REVOKE {", ".join(sorted(held - asked))} ON "{table}" FROM {role}')
    if asked - held:
        _run(f'GRANT {", ".join(sorted(asked - held))} ON "{table}" TO {role}')
    if "UPDATE" not in asked:  # a privilege of the whole table is one of each column
        _grant_columns(role, table, set(of_columns[1].split(", ")) if of_columns else set())


def _grant_columns(role: str, table: str, asked: set[str]) -> None:
    """Let the role update these columns and no others."""
    held = {
        column
        for (column,) in ask(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0"
            "   AND NOT attisdropped AND has_column_privilege(%s, attrelid, attnum, 'UPDATE')",
            *(f'"{table}"', role),
        )
    }
    if held - asked:
        _run(f'REVOKE UPDATE ({", ".join(sorted(held - asked))}) ON "{table}" FROM {role}')
    if asked - held:
        _run(f'GRANT UPDATE ({", ".join(sorted(asked - held))}) ON "{table}" TO {role}')


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

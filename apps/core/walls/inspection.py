"""
Look in the database's catalogue whether every wall stands.

What should be there is told by the tables that are there and not by our list of models, so
that a table which somebody adds, or a policy which somebody drops, is found by its absence.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from apps.core.walls import STAFF, WEB
from apps.core.walls.asking import ask
from apps.core.walls.building import policies_of, policies_on, walls


@dataclass(frozen=True)
class Breach:
    """One thing that lets a row through, and where."""

    code: str
    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.code} {self.where}: {self.problem}"


@dataclass
class Inspection:
    """How much was looked at, and what was found."""

    tables: int = 0  # that belong to organizations
    views: int = 0
    functions: int = 0  # that run with the rights of the tables' owner
    breaches: list[Breach] = field(default_factory=list)


TABLES = """
    SELECT related.relname, pg_get_userbyid(related.relowner),
           related.relrowsecurity, related.relforcerowsecurity,
           EXISTS (SELECT FROM pg_attribute WHERE attrelid = related.oid
                      AND attname = 'organization_id' AND NOT attisdropped)
      FROM pg_class related
     WHERE related.relnamespace = current_schema()::regnamespace AND related.relkind IN ('r', 'p')
     ORDER BY related.relname
"""
VIEWS = """
    SELECT relname, relkind = 'v' AND coalesce(
               'security_invoker=true' = ANY(reloptions) OR 'security_invoker=on' = ANY(reloptions)
               OR 'security_invoker=1' = ANY(reloptions), false),
           has_table_privilege(%s, oid, 'SELECT')
      FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('v', 'm')
"""
FUNCTIONS = """
    SELECT oid::regprocedure::text, coalesce(array_to_string(proconfig, ' '), '')
      FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef
"""
ROLES = """
    SELECT role.rolname, role.rolsuper, role.rolbypassrls,
           role.rolcreaterole,
           (SELECT count(*) FROM pg_class WHERE relowner = role.oid),
           ARRAY(SELECT other.rolname FROM pg_roles other
                  WHERE other.oid <> role.oid AND pg_has_role(role.oid, other.oid, 'MEMBER')
                    AND (other.rolsuper OR other.rolbypassrls OR other.rolname = ANY(%s)
                         OR EXISTS (SELECT FROM pg_class WHERE relowner = other.oid
                                       AND relnamespace = current_schema()::regnamespace))),
           ARRAY(SELECT relname FROM pg_class
                  WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
                    AND (has_table_privilege(role.oid, oid, 'TRUNCATE')
                         OR has_table_privilege(role.oid, oid, 'TRIGGER')))
      FROM pg_roles role WHERE role.rolname = %s
"""


def inspect() -> Inspection:
    """Return what was looked at in the database of this connection, and every breach."""
    found = Inspection()
    roles = {row[0] for row in ask("SELECT rolname FROM pg_roles")}
    found.breaches += _breaches_of_tables(found, has_staff=STAFF in roles)
    for role in (WEB, STAFF):
        found.breaches += breaches_of_role(role)
    if WEB in roles:
        found.breaches += _breaches_of_views(found)
    found.breaches += _breaches_of_functions(found)
    return found


def _breaches_of_tables(found: Inspection, *, has_staff: bool) -> Iterator[Breach]:
    known = walls()
    for table, owner, is_on, is_forced, has_organization in ask(TABLES):
        wall = known.get(table)
        if not has_organization and not (wall and wall.stands):
            continue
        found.tables += 1
        if wall is None or (has_organization and not wall.whose):
            yield Breach("walls.T1", table, "has organization_id and no model says whose it is")
            continue
        if not is_on:
            yield Breach("walls.T2", table, "row-level security is off")
        if not is_forced:
            yield Breach("walls.T3", table, "row-level security is not forced on its owner")
        there = {(name, mark if is_same else "") for name, mark, is_same in policies_on(table)}
        wanted = {(one.name, one.mark) for one in policies_of(table, wall, owner, has_staff)}
        for name, _ in sorted(wanted - there):
            yield Breach("walls.T4", table, f"the policy {name} is missing or another")
        for name, _ in sorted(there - wanted):
            yield Breach("walls.T5", table, f"the policy {name} is none of ours")


def breaches_of_role(role: str) -> list[Breach]:
    """Return what lets this role past the walls, or break them down."""
    forbidden = [STAFF] if role != STAFF else []
    rows = ask(ROLES, forbidden, role)
    if not rows:
        return [Breach("walls.R1", role, "there is no such role")]
    breaches = []
    for name, is_super, bypasses, makes_roles, owned, above, tables in rows:
        problems = {
            "is a superuser": is_super,
            "has BYPASSRLS": bypasses,
            "has CREATEROLE": makes_roles,
            f"owns {owned} relations": owned,
            f"can become {', '.join(above)}": above,
            f"may TRUNCATE or add triggers to {', '.join(tables[:3])}": tables,
        }
        breaches += [Breach("walls.R2", name, text) for text, holds in problems.items() if holds]
    return breaches


def _breaches_of_views(found: Inspection) -> Iterator[Breach]:
    for view, is_invoker, is_read_by_web in ask(VIEWS, WEB):
        found.views += 1
        if not is_invoker and is_read_by_web:
            yield Breach("walls.V1", view, "shows the web what its owner sees: security_invoker")


def _breaches_of_functions(found: Inspection) -> Iterator[Breach]:
    for function, settings in ask(FUNCTIONS):
        found.functions += 1
        if "search_path=" not in settings:
            yield Breach("walls.F1", function, "runs as its owner with its caller's search_path")

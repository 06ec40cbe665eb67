"""
Which role of the database this process has: that of the web, of staff, or the owner's.

The web sees one organization at a time, and cannot do otherwise. Workers, commands and the
admin see all; migrations own the tables. With DATABASE_URL alone, everything runs in its role.
"""

import sys
from pathlib import Path
from typing import Any

import dj_database_url

SERVES = {"runserver", "testserver"}
OWNS = {"migrate", "database_roles", "flush"}


def connection_options(*, is_pooled: bool) -> dict[str, Any]:
    """Return what every connection has, whatever its address."""
    return {
        "conn_max_age": 60,
        "conn_health_checks": True,
        "disable_server_side_cursors": is_pooled,
        "engine": "apps.core.postgres",
    }


def databases(
    web: Any, *, staff: str, owner: str, is_pooled: bool
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """
    Return the connections of this process, and who logs in as the web and as staff.

    The addresses of staff and owner may be empty.
    """
    common = connection_options(is_pooled=is_pooled)
    given = {
        "web": web,
        "staff": dict(dj_database_url.parse(staff, **common)) if staff else None,
        "owner": dict(dj_database_url.parse(owner, **common)) if owner else None,
    }
    for found in filter(None, given.values()):
        if not is_pooled:
            # A statement that was sent five times keeps its plan (core.db.one_trip), which is
            # the same for any parameters: to plan it anew each time costs more than to run it.
            found["OPTIONS"] = {
                "prepare_threshold": 5,
                "options": "-c plan_cache_mode=force_generic_plan",
                **found.get("OPTIONS", {}),
            }
    role = role_of_process(sys.argv)
    chosen = {"default": given[role] or web}
    if role == "web" and given["staff"]:
        chosen["staff"] = given["staff"]  # for the admin: apps.core.postgres.staff
    logins = {
        name: {"name": found["USER"], "password": found["PASSWORD"]}
        for name, found in given.items()
        if found and name != "owner"
    }
    return chosen, logins


def role_of_process(arguments: list[str]) -> str:
    """Return web, staff or owner, by the command that started the process."""
    program = Path(arguments[0]) if arguments else Path()
    if program.name == "celery" or program.parts[-2:] == ("celery", "__main__.py"):
        return "staff"
    if program.name in ("manage.py", "django-admin"):
        command = next(iter(arguments[1:]), "")
        if command in OWNS:
            return "owner"
        return "web" if command in SERVES else "staff"
    return "web"

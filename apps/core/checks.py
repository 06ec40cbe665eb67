"""What `manage.py check --deploy` asks of the database, and of where files are kept."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from apps.core.walls.inspection import breaches_of_role, inspect


@register(Tags.database, Tags.security, deploy=True)
def walls_stand(databases: Iterable[str] | None = None, **details: Any) -> list[CheckMessage]:
    """Report every hole in the walls between organizations; asks with `--database default`."""
    if not databases or "default" not in databases:
        return []
    hint = "Run `manage.py migrate` as the owner of the tables; docs/guides/tenancy.md."
    return [Error(str(breach), hint=hint, id=breach.code) for breach in inspect().breaches]


@register(Tags.database, Tags.security, deploy=True)
def role_is_walled(databases: Iterable[str] | None = None, **details: Any) -> list[CheckMessage]:
    """Report a process that serves pages as somebody who sees every organization."""
    if not databases or "default" not in databases:
        return []
    hint = "Give DATABASE_URL a role that is a member of coffer_web; docs/guides/tenancy.md."
    login = settings.DATABASE_LOGINS["web"]["name"]
    return [Error(str(one), hint=hint, id="walls.W1") for one in breaches_of_role(login)]


@register(Tags.security, deploy=True)
def files_are_private(**details: Any) -> list[CheckMessage]:
    """Report a bucket whose files others could read, on the way or in it."""
    if settings.STORAGE != "s3":
        return []
    storage: dict[str, Any] = settings.STORAGES["default"]
    options = storage["OPTIONS"]
    hint = "docs/guides/operations.md, Storage."
    found: list[CheckMessage] = []
    if not options["endpoint_url"].startswith("https://"):
        found.append(Error("S3_ENDPOINT is not https.", hint=hint, id="storage.E1"))
    if bool(options["access_key"]) != bool(options["secret_key"]):
        problem = "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY: one is given without the other."
        found.append(Error(problem, hint=hint, id="storage.E2"))
    if options["default_acl"] or not options["querystring_auth"]:
        found.append(Error("Files of the bucket are public.", hint=hint, id="storage.E3"))
    return found

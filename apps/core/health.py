"""Is the process alive, and is it ready to serve."""

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis.exceptions import RedisError


def livez(request: HttpRequest) -> HttpResponse:
    """Answer without touching anything else: the process runs."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if database, migrations and cache are there; else 503, naming what is not."""
    parts = {"database": _database(), "cache": _cache()}
    status = 200 if all(state == "ok" for state in parts.values()) else 503
    response = JsonResponse(parts, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return f"unreachable: {type(error).__name__}"
    return f"{len(pending)} migrations are pending" if pending else "ok"


def _cache() -> str:
    try:
        cache.get("readyz")
    except RedisError as error:
        return f"unreachable: {type(error).__name__}"
    return "ok"

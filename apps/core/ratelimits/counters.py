"""
Actions on money, counted in PostgreSQL while Redis is away.

One row for each policy, subject and fixed window; one statement for each request, in a
transaction of its own that ends before the action begins, so that no lock is held meanwhile.
Windows begin at multiples of their length since 1970, whatever that length is.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from apps.core.ratelimits.policies import Hit
from apps.core.ratelimits.windows import Window

BEGIN = """
    to_timestamp(floor(extract(epoch FROM coalesce(%s, statement_timestamp())) / asked.seconds)
                 * asked.seconds)
"""
ASKED = f"""
    WITH asked AS (
        SELECT asked.*, {BEGIN} AS begins_at
          FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])
               AS asked (policy, subject, quota, seconds)
    )
"""  # noqa: S608  of constants alone, as the two below
# In the order of the key, as everybody does, so that two requests never wait for each other.
COUNT = f"""
    {ASKED}, counted AS (
        INSERT INTO core_ratelimitcount AS kept
               (policy, subject, begins_at, ends_at, used)
        SELECT policy, subject, begins_at, begins_at + make_interval(secs => seconds), 1
          FROM asked ORDER BY policy, subject
            ON CONFLICT (policy, subject, begins_at) DO UPDATE
           SET used = kept.used + 1
         WHERE kept.used < (SELECT quota FROM asked WHERE asked.policy = kept.policy)
        RETURNING policy, used
    )
    SELECT asked.policy, counted.used,
           extract(epoch FROM begins_at - coalesce(%s, statement_timestamp())) + seconds
      FROM asked LEFT JOIN counted USING (policy)
"""  # noqa: S608
LOOK = f"""
    {ASKED}
    SELECT asked.policy, kept.used,
           extract(epoch FROM asked.begins_at - coalesce(%s, statement_timestamp())) + seconds
      FROM asked LEFT JOIN core_ratelimitcount AS kept USING (policy, subject, begins_at)
"""  # noqa: S608


def acquire(hits: Sequence[Hit], *, at: datetime | None = None) -> list[Window]:
    """Count a request for each hit, if all of them allow it; `at` is the moment, for tests."""
    with transaction.atomic():
        windows = [
            Window(hit.policy, used or hit.policy.limit, left, is_allowed=used is not None)
            for hit, used, left in _ask(COUNT, hits, at)
        ]
        if not all(window.is_allowed for window in windows):
            transaction.set_rollback(True)  # a refused request takes nothing of other policies
    return windows


def look(hits: Sequence[Hit], *, at: datetime | None = None) -> list[Window]:
    """Return what is counted for each hit, without counting."""
    return [
        Window(hit.policy, used or 0, left, is_allowed=(used or 0) <= hit.policy.limit)
        for hit, used, left in _ask(LOOK, hits, at)
    ]


def _ask(
    statement: str, hits: Sequence[Hit], at: datetime | None
) -> list[tuple[Hit, int | None, float]]:
    columns = zip(
        *((hit.policy.code, hit.name, hit.policy.limit, hit.policy.seconds) for hit in hits),
        strict=True,
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [at, *map(list, columns), at])
        said = {policy: (used, float(left)) for policy, used, left in cursor.fetchall()}
    return [(hit, *said[hit.policy.code]) for hit in hits]


def prune() -> int:
    """Forget windows that are over; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_ratelimitcount WHERE ends_at < clock_timestamp()")
        return int(cursor.rowcount)

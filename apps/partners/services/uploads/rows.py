"""Write down what became of many rows of a file at once."""

from collections.abc import Sequence

from django.db import connection
from psycopg.types.json import Jsonb

from apps.partners.models import UploadRow


def write_rows(rows: Sequence[UploadRow]) -> None:
    """Write what these rows say, and what became of them, by one statement however many."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE partners_uploadrow AS kept
               SET email = told.email, credits = told.credits, status = told.status,
                   errors = told.errors, member_id = told.member_id, award_id = told.award_id
              FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::text[], %s::jsonb[],
                          %s::uuid[], %s::uuid[])
                   AS told (id, email, credits, status, errors, member_id, award_id)
             WHERE kept.id = told.id
            """,
            [
                [row.pk for row in rows],
                [row.email for row in rows],
                [row.credits for row in rows],
                [row.status for row in rows],
                [Jsonb(row.errors) for row in rows],
                [row.member_id for row in rows],
                [row.award_id for row in rows],
            ],
        )

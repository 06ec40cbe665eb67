"""
Pages of a long list, newest first: by keyset, so that page 10,000 costs what page 1 does.

The API's lists have signed cursors on top of this: `apps.core.api.paginated`.
"""

from django.db.models import Model, Q, QuerySet


def after[M: Model](rows: QuerySet[M], last: M | None, *, by: str = "created_at") -> QuerySet[M]:
    """
    Return the rows that come after this one, in the order of `-by, -id`; None is the beginning.

    `by` may be an annotation, if `last` has it as well.
    """
    if last is None:
        return rows
    moment = getattr(last, by)
    same_time = Q(**{by: moment, "id__lt": last.pk})
    # Said twice: an index finds its beginning by the second, as it cannot by the first.
    return rows.filter(
        Q(**{f"{by}__lt": moment}) | same_time,
        **{f"{by}__lte": moment},
    )


def page_of[M: Model](rows: QuerySet[M], *, size: int) -> tuple[list[M], M | None]:
    """Return the first rows, and the last of them if there are more: the next page follows it."""
    found = list(rows[: size + 1])
    page = found[:size]
    return page, page[-1] if len(found) > size else None

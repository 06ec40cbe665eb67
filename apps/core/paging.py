"""
Pages of a long list, newest first: by keyset, so that page 10,000 costs what page 1 does.

The API's lists have signed cursors on top of this: `apps.core.api.paginated`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet

CHUNK = 1000  # rows of a file that are in memory at once
PAGE_SIZE = 25  # objects of a page of the API, if nothing is said
MAX_PAGE_SIZE = 100


def after[M: Model](rows: QuerySet[M], last: M | None, *, by: str = "created_at") -> QuerySet[M]:
    """
    Return the rows that come after this one, in the order of `-by, -id`; None is the beginning.

    `by` may be an annotation, if `last` has it as well.
    """
    if last is None:
        return rows
    return rows.filter(beyond((by, "id"), (getattr(last, by), last.pk)))


def beyond(key: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition that a row comes after one with these values, all descending."""
    later = Q()
    for position, name in enumerate(key):
        equal = dict(zip(key[:position], values[:position], strict=True))
        later |= Q(**equal, **{f"{name}__lt": values[position]})
    # Said twice: an index finds its beginning by the second, as it cannot by the first.
    return later & Q(**{f"{key[0]}__lte": values[0]})


def page_of[M: Model](rows: QuerySet[M], *, size: int) -> tuple[list[M], M | None]:
    """Return the first rows, and the last of them if there are more: the next page follows it."""
    found = list(rows[: size + 1])
    page = found[:size]
    return page, page[-1] if len(found) > size else None


def every[M: Model](rows: QuerySet[M]) -> Iterator[M]:
    """
    Yield all rows of a list, newest first, a chunk at a time, whatever their order was.

    By keyset and not by a cursor of the database, which a pool in front of it does not give.
    """
    rows = rows.order_by("-created_at", "-id")  # in any other, chunks would leave rows out
    chunk = list(rows[:CHUNK])
    while chunk:
        yield from chunk
        if len(chunk) < CHUNK:
            return
        chunk = list(after(rows, chunk[-1])[:CHUNK])

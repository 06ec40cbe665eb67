"""Requests of the API in two steps: a row of ours is written once, and then Stripe is asked."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import run_once
from apps.core.idempotency import Answer
from apps.core.models import Row


def write_then_ask(
    request: Request,
    *,
    principal: str,
    write: Callable[[], Row],
    ask: Callable[[UUID], Mapping[str, Any]],
    place: Callable[[Row], str],
) -> Response:
    """
    Write a row once for the request's Idempotency-Key, then ask Stripe about it, and answer 201.

    `write` runs in a transaction; what is kept for the key is which row it wrote, and `place`
    is its address. `ask` gets the row's id outside of any transaction, at every repetition as
    well, and returns what is answered: a lost answer of Stripe's is had by asking again.

    :raises IdempotencyKeyRequired: if the header is missing or malformed.
    :raises IdempotencyKeyReused: if the key belongs to another body.
    :raises IdempotencyInProgress: if the first request has not written its row yet.
    :raises IdempotencyKeySpent: if that was so long ago that only the key is kept.
    """

    def effect() -> Answer:
        row = write()
        return Answer(201, {"row": str(row.pk)}, {"Location": place(row)})

    written = run_once(request, principal=principal, effect=effect)
    headers = {
        name: written[name] for name in ("Location", "Idempotent-Replayed") if name in written
    }
    return Response(ask(UUID(written.data["row"])), status=201, headers=headers)

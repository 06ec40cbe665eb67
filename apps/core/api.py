"""What every API view shares: checked input, cursor pages, and repeatable requests."""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import idempotency
from apps.core.idempotency import Answer
from apps.core.paging import MAX_PAGE_SIZE, PAGE_SIZE, beyond

API_VERSION = "v1"


def validated(serializer_class: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """
    Return the fields of a request, checked.

    :raises ValidationError: with one error for each field that is wrong.
    """
    serializer = serializer_class(data=data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def validated_query(
    serializer_class: type[serializers.Serializer[Any]], request: Request
) -> dict[str, Any]:
    """
    Return the parameters of the address, checked; one that is not known is never ignored.

    :raises ValidationError: with one error for each parameter that is unknown or wrong.
    """
    check_parameters(request, frozenset(serializer_class().fields))
    return validated(serializer_class, request.query_params)


def check_parameters(request: Request, known: frozenset[str]) -> None:
    """
    Check that each parameter of the address is known.

    :raises ValidationError: with one error for each that is not.
    """
    unknown = sorted(set(request.query_params) - known - {"format"})
    if unknown:
        raise ValidationError(
            dict.fromkeys(unknown, "This parameter is not known here."), "unknown_parameter"
        )


def run_once(
    request: Request,
    *,
    principal: str,
    effect: Callable[[], Answer],
    is_repeatable: bool = False,
) -> Response:
    """
    Carry out a request that moves credits or money, at most once for its Idempotency-Key.

    `effect` runs in a transaction in which its answer is stored as well. A repeated
    request gets the stored answer, marked `Idempotent-Replayed: true`; once that is kept no
    more, a repeatable effect is asked again for what it did.

    :raises IdempotencyKeyRequired: if the header is missing or malformed.
    :raises IdempotencyKeyReused: if the key belongs to another body.
    :raises IdempotencyInProgress: if the first request has not answered yet.
    :raises IdempotencyKeySpent: if it was answered so long ago that only the key is kept.
    """
    route = request.resolver_match.view_name if request.resolver_match else request.path
    answer = idempotency.run_once(
        scope=f"{principal}:{request.method}:{route}",
        key=idempotency.read_key(request.headers.get("Idempotency-Key")),
        digest=digest_of(request),
        effect=effect,
        is_repeatable=is_repeatable,
    )
    headers = dict(answer.headers)
    if answer.is_replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(answer.body, status=answer.status, headers=headers)


def digest_of(request: Request) -> bytes:
    """
    Return the SHA-256 of what is asked: API version, method, address and canonical body.

    How the JSON is written does not matter: neither order nor spaces, nor 1.0 for 1.
    """
    parts = [
        API_VERSION,
        request.method,
        request.path,
        sorted(request.query_params.lists()),
        canonical(request.data),
    ]
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def canonical(value: Any) -> Any:
    """Return a JSON value with its numbers written in one way (after RFC 8785)."""
    if isinstance(value, dict):
        return {name: canonical(member) for name, member in value.items()}
    if isinstance(value, list):
        return [canonical(member) for member in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


class LimitParameter(serializers.Serializer[Any]):
    """How many objects a page holds, and where it begins."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, default=PAGE_SIZE)
    cursor = serializers.CharField(required=False)


def paginated[M: Model](
    request: Request,
    queryset: QuerySet[M],
    serializer_class: type[serializers.BaseSerializer[Any]],
    *,
    key: tuple[str, ...] = ("created_at", "id"),
    parameters: frozenset[str] = frozenset(),
) -> Response:
    """
    Answer one page, newest first, by keyset: page 10,000 costs what page 1 does.

    `parameters` are the view's own filters.

    :raises ValidationError: if a parameter is unknown, or the cursor is not ours.
    """
    check_parameters(request, parameters | {"limit", "cursor"})
    page = validated(LimitParameter, request.query_params)
    if "cursor" in page:
        queryset = queryset.filter(beyond(key, read_cursor(page["cursor"])))
    rows = list(queryset.order_by(*(f"-{field}" for field in key))[: page["limit"] + 1])
    more, rows = len(rows) > page["limit"], rows[: page["limit"]]
    cursor = write_cursor(rows[-1], key) if more else None
    response = Response(
        {
            "object": "list",
            "url": request.path,
            "data": serializer_class(rows, many=True).data,
            "has_more": more,
            "next_cursor": cursor,
        }
    )
    if cursor:
        query = urlencode({**request.query_params.dict(), "cursor": cursor})
        response["Link"] = f'<{request.build_absolute_uri(request.path)}?{query}>; rel="next"'
    return response


def write_cursor(row: Model, key: tuple[str, ...]) -> str:
    """Return an opaque, signed cursor that stands on this row."""
    values = [getattr(row, field) for field in key]
    return signing.dumps([str(value) for value in values], salt="cursor", compress=True)


def read_cursor(cursor: str) -> list[Any]:
    """
    Return the values that the cursor holds.

    :raises ValidationError: if the cursor was not made by us.
    """
    try:
        values: list[Any] = signing.loads(cursor, salt="cursor")
    except signing.BadSignature as error:
        message = "This cursor is not valid. Start again without one."
        raise ValidationError({"cursor": message}, "invalid_cursor") from error
    return values

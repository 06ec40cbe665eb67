"""The OpenAPI description: what each operation may answer, errors included."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from apps.core.paging import MAX_PAGE_SIZE, PAGE_SIZE

KEYED_METHODS = {"POST", "PUT", "PATCH", "DELETE"}
HEADERS_OF_LIMITS = {  # every answer has the first two, where a policy counts the request
    "RateLimit-Policy": "The tightest policy: its name, `q` requests in `w` seconds.",
    "RateLimit": "Its name, `r` requests left, and `t` seconds until there is room again.",
    "Retry-After": "Seconds to wait.",
}


class Problem(serializers.Serializer[Any]):
    """An error, as RFC 9457 writes it; `code` is what clients branch on."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    request_id = serializers.CharField()


class Listed:
    """How a list is answered: with pages (apps.core.api: paginated), or always whole."""

    def __init__(self, *, is_paged: bool) -> None:
        self.is_paged = is_paged

    def get_paginated_response_schema(self, data: dict[str, Any]) -> dict[str, Any]:
        """Describe the object that holds the list."""
        pages: dict[str, Any] = {
            "url": {"type": "string"},
            "next_cursor": {
                "type": ["string", "null"],
                "description": "Give it as `cursor` for the next page; null: there is none.",
            },
        }
        properties: dict[str, Any] = {
            "object": {"type": "string", "const": "list"},
            "data": data,
            "has_more": {"type": "boolean"},
            **(pages if self.is_paged else {}),
        }
        return {"type": "object", "required": ["object", "data"], "properties": properties}

    def get_schema_operation_parameters(self, view: object) -> list[dict[str, Any]]:
        """Describe the parameters that every list with pages has."""
        if not self.is_paged:
            return []
        size = {"minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}
        return [
            {
                "in": "query",
                "name": "limit",
                "description": "How many objects a page holds.",
                "schema": {"type": "integer", **size},
            },
            {
                "in": "query",
                "name": "cursor",
                "description": "`next_cursor` of the page before.",
                "schema": {"type": "string"},
            },
        ]


class Schema(AutoSchema):
    """
    Adds what every operation has in common: its errors, its Idempotency-Key, and how lists are.

    A view whose list is always whole says so by `is_paged = False`.
    """

    def get_override_parameters(self) -> list[Any]:
        """Declare the Idempotency-Key of operations that move credits."""
        if self.method in getattr(self.view, "keyed_methods", ()):
            return [
                OpenApiParameter(
                    name="Idempotency-Key",
                    location=OpenApiParameter.HEADER,
                    required=True,
                    description="1 to 255 printable characters; the same for a repeated request.",
                )
            ]
        return []

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular's
        """Return what the docstring tells callers; what a view raises is for who reads its code."""
        text: str = super().get_description() or ""
        return text.partition(":raises ")[0].rstrip()

    def _get_paginator(self) -> Listed:
        is_paged = self.method == "GET" and getattr(self.view, "is_paged", True)
        return Listed(is_paged=is_paged)

    def get_paginated_name(self, serializer_name: str) -> str:
        """Return what a list of such objects is called."""
        return f"{serializer_name}List"

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        responses = super()._get_response_bodies(direction=direction)
        for status in self.problem_statuses():
            if status not in responses:
                responses[status] = self._get_response_for_code(  # type: ignore[no-untyped-call]
                    Problem, status, media_types=["application/problem+json"]
                )
        responses["429"]["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}}
            for name, meaning in HEADERS_OF_LIMITS.items()
        }
        return responses

    def problem_statuses(self) -> list[str]:
        """Return the error statuses of this operation."""
        statuses = ["400", "401", "403", "404", "429", "500"]
        if self.method in getattr(self.view, "keyed_methods", ()):
            statuses += ["402", "409", "422"]
        return sorted(statuses)

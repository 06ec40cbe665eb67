"""The OpenAPI description: what each operation may answer, errors included."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

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


class Schema(AutoSchema):
    """Adds the errors that any operation may answer, and the Idempotency-Key where it is due."""

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

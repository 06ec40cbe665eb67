"""Errors as RFC 9457 `application/problem+json`: one shape, whatever went wrong."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.types import ErrorResponse
from rest_framework import exceptions
from rest_framework.response import Response

from apps.core import context
from apps.core.errors import DomainError

CONTENT_TYPE = "application/problem+json"
TITLES = {
    "authentication_required": "Authentication is required",
    "internal_error": "Something broke on our side",
    "method_not_allowed": "This method is not allowed here",
    "not_acceptable": "This media type cannot be produced",
    "not_found": "Not found",
    "parse_error": "The body cannot be read",
    "permission_denied": "Permission denied",
    "rate_limited": "Too many requests",
    "unsupported_media_type": "This media type is not accepted",
    "validation_error": "The request is not valid",
}
CODES = {
    "error": "internal_error",
    "authentication_failed": "authentication_required",
    "not_authenticated": "authentication_required",
    "throttled": "rate_limited",
}


def problem(
    *, code: str, status: int, detail: str, title: str | None = None, **members: Any
) -> dict[str, Any]:
    """Return the members of a problem document; `code` is what clients branch on."""
    request_id = context.current().request_id
    return {
        "type": f"{settings.BASE_URL}/problems/{code.replace('_', '-')}",
        "title": title or TITLES.get(code, code.replace("_", " ").capitalize()),
        "status": status,
        "code": code,
        "detail": detail,
        "instance": f"/requests/{request_id}",
        "request_id": request_id,
        **members,
    }


def problem_response(
    request: HttpRequest, *, code: str, status: int, detail: str, **members: Any
) -> JsonResponse:
    """Answer a request that never reached an API view (an unknown address, a crash)."""
    body = problem(code=code, status=status, detail=detail, **members)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


class Refusal(exceptions.APIException):
    """A DomainError on its way through DRF."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(detail=str(error), code=error.code)
        self.status_code = error.status
        self.error = error
        self.wait = error.details.get("retry_after")


class ProblemHandler(ExceptionHandler):
    """Turns every exception of an API view into a problem document."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """Let a DomainError keep its own status, code and details."""
        if isinstance(exc, DomainError):
            return Refusal(exc)
        return super().convert_known_exceptions(exc)

    def get_response(self, exc: exceptions.APIException, data: dict[str, Any]) -> Response:
        """Answer in the media type of RFC 9457."""
        response = super().get_response(exc, data)
        response.content_type = CONTENT_TYPE
        return response

    def report_exception(self, exc: exceptions.APIException, response: Response) -> None:
        """Report what broke; a refusal of ours, such as 503 without Stripe, did not."""
        if not isinstance(exc, Refusal):
            super().report_exception(exc, response)


class ProblemFormatter(ExceptionFormatter):
    """Writes the flattened errors in the shape of RFC 9457."""

    def format_error_response(self, error_response: ErrorResponse) -> dict[str, Any]:
        """Name the first error's code, and list each one with a pointer to its place."""
        if isinstance(self.exc, Refusal):
            error = self.exc.error
            return problem(
                code=error.code,
                status=error.status,
                title=error.title,
                detail=str(error),
                **error.details,
            )
        errors = error_response.errors
        if isinstance(self.exc, exceptions.ValidationError):
            return problem(
                code="validation_error",
                status=self.exc.status_code,
                detail="; ".join(_sentence(error) for error in errors),
                errors=[
                    {
                        "pointer": "/" + (error.attr or "").replace(".", "/"),
                        "location": "body",
                        "code": error.code,
                        "detail": error.detail,
                    }
                    for error in errors
                ],
            )
        code = CODES.get(errors[0].code, errors[0].code)
        return problem(code=code, status=self.exc.status_code, detail=errors[0].detail)


def _sentence(error: Any) -> str:
    if error.attr in (None, "non_field_errors"):
        return str(error.detail)
    return f"{error.attr}: {error.detail}"

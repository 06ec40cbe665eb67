"""What every page shares: how refusals are shown, and the pages that explain errors."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils import formats, timezone

from apps.core import context, readonly
from apps.core.catalogue import catalogue
from apps.core.errors import DomainError
from apps.core.problems import problem_response

API = "/api/"


def add_refusal(form: BaseForm, error: DomainError) -> None:
    """
    Show a refusal on the field that it is about, or above the form where it names none.

    There the label says which field it is, so that the name that the API has for it is left out.
    """
    field = error.details.get("field") or error.about
    if field in form.fields:
        form.add_error(field, str(error).removeprefix(f"{field}: "))
    else:
        form.add_error(None, str(error))


def number_of_look(request: HttpRequest) -> int:
    """Return how often a page that waits for something has been asked for before."""
    number = request.GET.get("look", "0")
    return int(number[:4]) if number.isdecimal() else 0


def day_of(moment: datetime | None) -> str:
    """Write the day of a moment in the viewer's time zone."""
    return formats.date_format(timezone.localtime(moment), "j F Y") if moment else "–"


def refusal_page(request: HttpRequest, error: DomainError) -> HttpResponse:
    """
    Show a refusal with the facts that the API would tell, as a page of its own.

    :raises Http404: for what does not exist, so that it looks like any other unknown address.
    """
    if error.status == 404:
        raise Http404
    page = {"title": error.title, "text": str(error), "code": error.code, "status": error.status}
    return render(request, "problems/refused.html", {**page, **footer()}, status=error.status)


def footer() -> dict[str, Any]:
    """Return what error pages need, and nothing that asks a database that may be away."""
    return {
        "request_id": context.current().request_id,
        "support_email": settings.SUPPORT_EMAIL,
        "is_read_only": readonly.is_on(),  # staff look in somebody's place
    }


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400, as a problem document below /api/ and as a page elsewhere."""
    return _error(request, status=400, code="bad_request", detail="The request is malformed.")


def nul_refused(request: HttpRequest) -> HttpResponse:
    """Answer 400 to a parameter that holds a NUL, and say what to do."""
    detail = "A parameter holds a NUL (%00), which no text may have. Leave it out."
    return _error(request, status=400, code="validation_error", detail=detail)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403, as a problem document below /api/ and as a page elsewhere."""
    return _error(request, status=403, code="permission_denied", detail="You may not do this.")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404, as a problem document below /api/ and as a page elsewhere."""
    return _error(request, status=404, code="not_found", detail="There is no such address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500, as a problem document below /api/ and as a page elsewhere."""
    detail = "Something broke on our side. Quote the request id if you report it."
    return _error(request, status=500, code="internal_error", detail=detail)


def _error(request: HttpRequest, *, status: int, code: str, detail: str) -> HttpResponse:
    if request.path.startswith(API):
        return problem_response(request, code=code, status=status, detail=detail)
    # Without the request, so without context processors: they may be what is broken.
    page = loader.get_template(f"{status}.html").render(footer())
    return HttpResponse(page, status=status)


def problem_list(request: HttpRequest) -> HttpResponse:
    """List every error that the API may answer."""
    return render(request, "problems/list.html", {"problems": list(catalogue().values())})


def problem_page(request: HttpRequest, code: str) -> HttpResponse:
    """
    Explain one error: the address that problem documents give as their type.

    :raises Http404: if there is no error with this code.
    """
    found = catalogue().get(code.replace("-", "_"))
    if found is None:
        raise Http404
    return render(request, "problems/problem.html", {"problem": found})

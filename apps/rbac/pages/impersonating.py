"""
Requests of staff who look in a member's place, and the page on which they stop.

The session stays the staff person's own: it keeps the id of the impersonation and nothing of
the member, so that what he was signed in as is what he is when it ends.
"""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views import View

from apps.core import context, readonly, scope
from apps.core.errors import DomainError, ReadOnly
from apps.core.pages import API, refusal_page
from apps.core.postgres.staff import as_staff
from apps.core.problems import problem_response
from apps.core.routes import object_of, route_of
from apps.rbac.errors import ImpersonationOver, NotWhileImpersonating
from apps.rbac.models import Impersonation
from apps.rbac.selectors.impersonations import find_impersonation, why_over
from apps.rbac.services import impersonation_sessions, impersonations
from apps.rbac.services.impersonation_sessions import KEY
from apps.tenants.models import User
from apps.tenants.services.denials import record_denial

SAFE = ("GET", "HEAD", "OPTIONS")
OPEN_ROUTES = ("o/<slug:slug>/", "api/v1/")
OPEN_NAMES = frozenset(
    {"home", "organization", "schema", "docs", "try", "problems", "problem", "livez", "readyz"}
)
GetResponse = Callable[[HttpRequest], HttpResponse]


class ImpersonationMiddleware:
    """Let a member's place be taken for reading his organization's pages, and nothing else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Put the member in the request's place; refuse every write below."""
        running = running_impersonation(request)
        if running is None:
            return self.get_response(request)
        staff_user = request.user
        assert isinstance(staff_user, User)
        request.impersonation = running  # type: ignore[attr-defined]
        if request.path_info == reverse("account_logout") and request.method == "POST":
            finish(request, Impersonation.Cause.SIGNED_OUT)
        elif cause := why_it_is_over(running, staff_user):
            return self.over(request, running, cause)
        elif request.path_info != reverse("impersonation"):
            return self.in_place(request, running, staff_user)
        return self.get_response(request)

    def in_place(
        self, request: HttpRequest, running: Impersonation, staff_user: User
    ) -> HttpResponse:
        """Answer as the member would be answered, and keep it in no cache."""
        member = running.user
        member.only_in = running.organization_id
        request.user = member
        context.set_actor(f"user:{staff_user.public_id}", acting_as=f"user:{member.public_id}")
        with timezone.override(ZoneInfo(member.time_zone)), readonly.reading_only():
            scope.set_user(member.pk)
            response = self.get_response(request)
        add_never_cache_headers(response)
        return response

    def over(self, request: HttpRequest, running: Impersonation, cause: str) -> HttpResponse:
        """Say that it has ended; the next request is the staff person's own again."""
        finish(request, cause)
        error = ImpersonationOver(person=running.user.get_full_name(), cause=cause)
        if request.path.startswith(API):
            return refused(request, error)
        messages.warning(request, str(error))
        return redirect("admin:rbac_impersonation_changelist")

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Refuse what is not the organization's, and what is not reading."""
        if not readonly.is_on():
            return None
        running: Impersonation = request.impersonation  # type: ignore[attr-defined]
        error: DomainError | None = None
        if request.method not in SAFE:
            error = ReadOnly()
        elif not is_open(request):
            error = NotWhileImpersonating(
                person=running.user.get_full_name(), organization=running.organization.name
            )
        if error is None:
            return None
        with scope.within(running.organization_id):
            record_denial(
                action=f"impersonation.{error.code}",
                organization=running.organization,
                object_id=object_of(request),
                route=route_of(request),
            )
        return refused(request, error)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Show the refusal of a write that a view has not shown itself."""
        return refused(request, exception) if isinstance(exception, ReadOnly) else None


class InPlace(LoginRequiredMixin, View):
    """The page of the running impersonation: in whose place, until when, and the stop button."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show it, or that there is none."""
        running = getattr(request, "impersonation", None)
        return render(request, "rbac/impersonation.html", {"running": running})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Stop, and go on in one's own name."""
        running = getattr(request, "impersonation", None)
        if running is None:
            return redirect("home")
        finish(request, Impersonation.Cause.STOPPED)
        messages.success(request, f"You no longer look in {running.user.get_full_name()}'s place.")
        return redirect("admin:rbac_impersonation_changelist")


def running_impersonation(request: HttpRequest) -> Impersonation | None:
    """Return the impersonation that the session of this staff person keeps, over or not."""
    if not isinstance(request.user, User) or KEY not in request.session:
        return None
    with as_staff("to look in a member's place"):
        return find_impersonation(request.user, request.session[KEY])


def why_it_is_over(running: Impersonation, staff_user: User) -> str:
    """Return why it must not go on, or nothing where it may."""
    with as_staff("to look in a member's place"):
        return why_over(running, staff_user)


def finish(request: HttpRequest, cause: str) -> None:
    """End the impersonation, and forget it in the session."""
    running: Impersonation = request.impersonation  # type: ignore[attr-defined]
    with as_staff("to look in a member's place"):
        impersonations.end_impersonation(impersonation=running, cause=cause)
    impersonation_sessions.finish(session=request.session)


def is_open(request: HttpRequest) -> bool:
    """Tell whether the address shows the organization's own; everything else stays shut."""
    match = request.resolver_match
    if match is None:
        return False
    return match.view_name in OPEN_NAMES or match.route.startswith(OPEN_ROUTES)


def refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Return the refusal as a problem document below /api/, and as a page elsewhere."""
    if request.path.startswith(API):
        return problem_response(request, code=error.code, status=error.status, detail=str(error))
    return refusal_page(request, error)

"""Write down what the back office denied; pages and API do so for themselves."""

from collections.abc import Callable

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from apps.core.routes import object_of, route_of
from apps.tenants.services.denials import record_denial

GetResponse = Callable[[HttpRequest], HttpResponse]
OPEN = "admin.open"  # what those lack whom the back office sends to its sign-in
FOUND = 302


class DenialMiddleware:
    """Sees what Django's own views refuse to people who are signed in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Write down who tried to open the back office and may not; it only leads him away."""
        response = self.get_response(request)
        is_away = response.status_code == FOUND and is_of_admin(request)
        if is_away and not admin.site.has_permission(request) and request.user.is_authenticated:
            record_denial(action=OPEN, organization=None, route=route_of(request))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Write down what a view refused by Django's own exception, and let it go on."""
        if not isinstance(exception, PermissionDenied) or not request.user.is_authenticated:
            return
        match = request.resolver_match
        name = match.url_name if match and match.url_name else "view"
        record_denial(
            action=f"admin.{name}"[:100] if is_of_admin(request) else f"page.{name}"[:100],
            organization=None,
            object_id=object_of(request),
            route=route_of(request),
        )


def is_of_admin(request: HttpRequest) -> bool:
    """Tell whether the address belongs to the back office."""
    match = request.resolver_match
    return match is not None and "admin" in match.namespaces and match.url_name != "logout"

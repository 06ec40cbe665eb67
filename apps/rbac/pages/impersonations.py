"""The page on which an organization sees when staff looked at it, in whose place and why."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.rbac.pages.base import TenantPage
from apps.rbac.selectors import impersonations_in

MOST = 200  # on the page; the API has all of them


class Impersonations(TenantPage):
    """Looks by support, the latest first."""

    permission = "audit.view"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show them."""
        rows = list(impersonations_in(self.organization)[:MOST])
        return render(request, "rbac/impersonations.html", {"rows": rows})

"""The page on which owners say how members must sign in."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.rbac import selectors
from apps.rbac.pages.base import TenantPage
from apps.tenants.selectors import has_second_factor
from apps.tenants.services.security import require_second_factor

MOST_NAMES = 100  # of members without a factor that are listed


class Security(TenantPage):
    """Does the organization require a second factor, and who has none."""

    permission = "organization.view"
    permission_to_change = "organization.secure"
    confirms_person = True

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the rule; to those who may change it also whom it would keep out."""
        may_change = self.user.has_perm(self.permission_to_change, self.organization)
        without = selectors.members_without_second_factor(self.organization)
        context = {
            "is_required": self.organization.requires_second_factor,
            "may_change": may_change,
            "has_own": has_second_factor(self.user),
            "without": [person.email for person in without[:MOST_NAMES]] if may_change else [],
        }
        return render(request, "rbac/security.html", context)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Require a second factor, or stop doing so."""
        is_required = request.POST.get("is_required") == "yes"
        require_second_factor(
            organization=self.organization, is_required=is_required, user=self.user
        )
        now = "now requires" if is_required else "no longer requires"
        messages.success(request, f"{self.organization.name} {now} a second factor.")
        return redirect("rbac:security", slug=slug)

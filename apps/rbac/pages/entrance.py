"""Where people come in: the start page, their organizations, and the demo's logins."""

import json

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views import View

from apps.core import scope
from apps.rbac import selectors
from apps.rbac.pages import frame
from apps.rbac.pages.base import find_organization, remember
from apps.tenants.models import Organization, User
from apps.tenants.pages.views import the_person
from apps.tenants.selectors import reopenable_until


class Home(View):
    """The start page; people who are signed in go on to their organization."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show what Coffer is, or lead to where the person works."""
        user = request.user
        if not isinstance(user, User):
            return render(request, "home.html", {"demo_logins": demo_logins()})
        mine = list(selectors.organizations_of(user))
        current = frame.current_organization(request, mine)
        if current is None:
            return redirect("organizations")
        return redirect(first_page_for(user, current))


class Start(LoginRequiredMixin, View):
    """Where an organization's pages begin, for this person."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Lead to the first line of his menu."""
        user = the_person(request)
        organization = selectors.organization_that_moved(user, slug)
        organization = organization or find_organization(user, slug)
        scope.set_organization(organization.pk)
        remember(request, organization)
        return redirect(first_page_for(user, organization))


class Organizations(LoginRequiredMixin, View):
    """The organizations to which a person belongs."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show each with the person's roles in it."""
        roles: dict[str, list[str]] = {}
        organizations = {}
        for assignment in selectors.roles_of(the_person(request)):
            organization = assignment.organization
            assert organization is not None
            organizations[organization.slug] = organization
            roles.setdefault(organization.slug, []).append(assignment.role.name)
        memberships = [
            {
                "name": organization.name,
                "slug": slug,
                "url": frame.first_page(organization),
                "role": ", ".join(roles[slug]),
                "available": None,
            }
            for slug, organization in organizations.items()
        ]
        context = {
            "memberships": memberships,
            "offers": list(selectors.offers_to(the_person(request))),
            "closed": [
                {"organization": closed, "until": reopenable_until(closed)}
                for closed in selectors.closed_organizations_of(the_person(request))
            ],
        }
        return render(request, "tenants/organizations.html", context)


class DemoLogin(View):
    """Sign in as one of the demo's people by one click. Exists in the demo only."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """
        Sign in without a password, and lead to the start page.

        :raises Http404: outside the demo, and for anyone who is not listed.
        """
        email = request.POST.get("email", "")
        if email not in {entry["email"] for entry in demo_logins()}:
            raise Http404
        user = get_object_or_404(User, email=email, is_active=True)
        # As allauth does it: whoever has set up a second factor is asked for it here, too.
        target = reverse("admin:index" if user.is_staff else "home")
        answer: HttpResponse = perform_login(
            request, Login(user, email_verification="none", redirect_url=target)
        )
        return answer


def first_page_for(user: User, organization: Organization) -> str:
    """Return the first address of the menu that the person may follow: the overview for most."""
    groups = frame.menu("", organization, user.get_all_permissions(organization))
    return groups[0].items[0].url if groups else reverse("organizations")


def demo_logins() -> list[dict[str, str]]:
    """Return the demo's people (email, role, description); none where this is no demo."""
    if not settings.DEMO or not settings.DEMO_LOGINS.exists():
        return []
    entries: list[dict[str, str]] = json.loads(settings.DEMO_LOGINS.read_text())["logins"]
    return entries

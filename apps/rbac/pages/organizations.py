"""A person's organizations beyond the first: make one more, and open a closed one again."""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View

from apps.core import scope
from apps.core.errors import DomainError
from apps.core.pages import add_refusal, refusal_page
from apps.rbac import selectors
from apps.rbac.services.founding import found_organization
from apps.tenants.pages.forms import NewOrganizationForm
from apps.tenants.pages.views import the_person
from apps.tenants.services.standing import reopen_organization


class New(LoginRequiredMixin, View):
    """One more organization for somebody who has an account."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask for its name."""
        return self.show(request, NewOrganizationForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make it, and go there."""
        form = NewOrganizationForm(request.POST)
        if not form.is_valid():
            return self.show(request, form)
        try:
            made = found_organization(user=the_person(request), **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.show(request, form)
        messages.success(request, f"{made.name} is ready. You own it.")
        return redirect("organization", slug=made.slug)

    def show(self, request: HttpRequest, form: NewOrganizationForm) -> HttpResponse:
        """Show the form with its errors, if it has any."""
        return render(request, "tenants/new_organization.html", {"form": form})


class Reopen(LoginRequiredMixin, View):
    """The undoing of a closing; the list of organizations posts here."""

    def post(self, request: HttpRequest, organization: str) -> HttpResponse:
        """Open it again, for one of its owners; to others it does not exist."""
        try:
            closed = selectors.closed_organization_of(the_person(request), organization)
            scope.set_organization(closed.pk)
            reopened = reopen_organization(organization=closed)
        except DomainError as error:
            return refusal_page(request, error)
        messages.success(request, f"{reopened.name} is open again.")
        return redirect("organization", slug=reopened.slug)

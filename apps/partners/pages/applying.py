"""The page on which an organization applies for a programme, and sees what became of it."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from apps.core import paging
from apps.core.errors import DomainError
from apps.core.exports import stream_table
from apps.core.pages import add_refusal
from apps.partners.models import Application as ApplicationRow
from apps.partners.pages import tables
from apps.partners.selectors.applications import applications_of
from apps.partners.selectors.programmes import find_partner
from apps.partners.services import applications
from apps.rbac.pages.base import TenantPage

MOST_SHOWN = 20  # applications of the past


class ApplicationForm(forms.Form):
    """What staff need to decide."""

    name = forms.CharField(
        max_length=100, label="Name of the programme", help_text="As its members will see it."
    )
    expected_members = forms.IntegerField(
        min_value=1, max_value=1_000_000, help_text="About how many people shall get credits."
    )
    reason = forms.CharField(
        max_length=2000,
        required=False,
        label="What it is for",
        widget=forms.Textarea({"rows": 4}),
    )


class Application(TenantPage):
    """The application, or the programme that came of it."""

    permission = "partners.view"
    permission_to_change = "partners.manage"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show the form, or how far the application is; or all applications as CSV."""
        if request.GET.get("format") == "csv":
            return stream_table(
                filename=f"{slug}-programme-applications.csv",
                columns=tables.APPLICATIONS,
                rows=paging.every(applications_of(self.organization)),
            )
        return self.draw(ApplicationForm(initial={"name": self.organization.name}))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Apply."""
        form = ApplicationForm(request.POST)
        if not form.is_valid():
            return self.draw(form, status=422)
        try:
            applications.apply(organization=self.organization, by=self.user, **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(form, status=error.status)
        messages.success(request, "Your application is with us. The answer comes by mail.")
        return redirect("partners:application", slug)

    def draw(self, form: ApplicationForm, status: int = 200) -> HttpResponse:
        """Draw the page."""
        rows = list(applications_of(self.organization)[:MOST_SHOWN])
        page = {
            "partner": find_partner(self.organization),
            "pending": next((one for one in rows if one.status == one.Status.PENDING), None),
            "applications": rows,
            "form": form,
            "can_manage": self.user.has_perm("partners.manage", self.organization),
        }
        return render(self.request, "partners/application.html", page, status=status)


class Withdraw(TenantPage):
    """The end of an application, by who applied."""

    permission = "partners.manage"

    def post(self, request: HttpRequest, slug: str, application_id: str) -> HttpResponse:
        """Withdraw it."""
        rows = applications_of(self.organization)
        found = get_object_or_404(rows, pk=ApplicationRow.read_id(application_id))
        applications.withdraw(application=found)
        messages.success(request, "The application is withdrawn.")
        return redirect("partners:application", slug)

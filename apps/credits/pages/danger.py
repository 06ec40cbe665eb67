"""The danger zone: what closing an organization leaves behind, and the closing itself."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from apps.core.errors import DomainError
from apps.core.pages import add_refusal
from apps.credits.selectors.organizations import leftover_of
from apps.rbac.pages.base import TenantPage
from apps.tenants.selectors import UNDO_DAYS
from apps.tenants.services.standing import close_organization, what_keeps_open


class ClosingForm(forms.Form):
    """What has to be typed, so that nobody closes an organization by a slip."""

    confirmation = forms.CharField(
        max_length=100, label="Type its address", widget=forms.TextInput({"autocomplete": "off"})
    )
    reason = forms.CharField(
        max_length=1000, required=False, label="Why?", widget=forms.Textarea({"rows": 2})
    )


class Danger(TenantPage):
    """The closing of an organization by its owner, with the balance before his eyes."""

    permission = "organization.close"
    confirms_person = True

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show what would be left, and the form."""
        return self.show(request, ClosingForm())

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Close the organization, or show why it cannot be."""
        form = ClosingForm(request.POST)
        if not form.is_valid():
            return self.show(request, form)
        try:
            close_organization(organization=self.organization, **form.cleaned_data)
        except DomainError as error:
            add_refusal(form, error)
            return self.show(request, form)
        messages.success(
            request, f"{self.organization.name} is closed. You can undo this for {UNDO_DAYS} days."
        )
        return redirect("organizations")

    def show(self, request: HttpRequest, form: ClosingForm) -> HttpResponse:
        """Show the page; what stands in the way is told before anybody types."""
        context = {
            "form": form,
            "leftover": leftover_of(self.organization),
            "refusal": what_keeps_open(organization=self.organization),
            "undo_days": UNDO_DAYS,
        }
        return render(request, "credits/danger.html", context)

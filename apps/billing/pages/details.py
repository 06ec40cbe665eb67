"""The page of billing details: to whom invoices are addressed, and who gets them."""

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from apps.billing.errors import BillingDetailsRefused, BillingNotConfigured, StripeUnavailable
from apps.billing.models import BillingDetails
from apps.billing.models.details import MOST_EMAILS
from apps.billing.pages.base import BillingPage
from apps.billing.selectors.details import details_of
from apps.billing.services import details as services
from apps.billing.services.details_pushing import push
from apps.core.countries import COUNTRIES
from apps.core.pages import add_refusal

NAMES_IN_ORDER = sorted(COUNTRIES.items(), key=lambda country: country[1])


class DetailsForm(forms.Form):
    """What stands on the invoices."""

    legal_name = forms.CharField(
        max_length=200, help_text="The company, or the person, that is billed."
    )
    line1 = forms.CharField(max_length=200, required=False, label="Address")
    line2 = forms.CharField(max_length=200, required=False, label="Address, second line")
    postal_code = forms.CharField(max_length=20, required=False)
    city = forms.CharField(max_length=100, required=False)
    state = forms.CharField(max_length=100, required=False, label="State or region")
    country = forms.ChoiceField(
        required=False, choices=[("", "None"), *NAMES_IN_ORDER], help_text="An address needs it."
    )
    tax_id_type = forms.ChoiceField(
        required=False,
        label="Kind of tax id",
        choices=[("", "None"), *BillingDetails.TaxIdType.choices],
    )
    tax_id = forms.CharField(
        max_length=50, required=False, label="Tax id", help_text="As in DE123456789."
    )
    po_number = forms.CharField(
        max_length=100,
        required=False,
        label="Purchase order",
        help_text="Your own number, printed on each invoice.",
    )
    emails = forms.CharField(
        required=False,
        label="Invoice e-mails",
        widget=forms.Textarea({"rows": 3}),
        help_text=f"One a line, {MOST_EMAILS} at most. Stripe sends invoices to the first; our "
        "mails about reloads go to all.",
    )

    def wanted(self) -> services.Wanted:
        """Return what was filled in."""
        chosen = dict(self.cleaned_data)
        return services.Wanted(emails=tuple(chosen.pop("emails").splitlines()), **chosen)


class Details(BillingPage):
    """The organization's billing details."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show them, and what Stripe has of them."""
        return self.draw()

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Write them down, and tell Stripe; where it does not answer it is told later."""
        form = DetailsForm(request.POST)
        if not form.is_valid():
            return self.draw(form, status=422)
        try:
            with transaction.atomic():
                details = services.set_details(organization=self.organization, wanted=form.wanted())
        except BillingDetailsRefused as error:
            add_refusal(form, error)
            return self.draw(form, status=error.status)
        with suppress(BillingNotConfigured, StripeUnavailable):  # the page says so; the sweep asks
            push(details)
        messages.success(request, "The billing details are saved. New invoices have them.")
        return redirect("billing:details", slug)

    def draw(self, form: DetailsForm | None = None, status: int = 200) -> HttpResponse:
        """Draw the page."""
        details = details_of(self.organization)
        page = {
            "details": details,
            "form": form or DetailsForm(initial=self.initial(details)),
        }
        return self.show("billing/details.html", page, status)

    def initial(self, details: BillingDetails | None) -> dict[str, Any]:
        """Return what the form begins with: at first, what the organization says of itself."""
        if details is None:
            return {
                "legal_name": self.organization.name,
                "emails": self.organization.billing_email,
            }
        return {**services.written_of(details), "emails": "\n".join(details.emails)}

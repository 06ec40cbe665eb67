"""The page of ownership: who owns the organization, an offer, and the answers to it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from apps.core.errors import DomainError
from apps.core.pages import add_refusal
from apps.rbac import selectors
from apps.rbac.models import OwnershipTransfer
from apps.rbac.pages.base import TenantPage
from apps.rbac.services import ownership
from apps.tenants.models import Organization, User

ANSWERS = {
    "accept": (ownership.accept_transfer, "You own the organization now."),
    "decline": (ownership.decline_transfer, "You declined the offer."),
}


class OfferForm(forms.Form):
    """To whom the organization is offered: another active member."""

    to = forms.ModelChoiceField(
        User.objects.none(),
        label="New owner",
        help_text="Gets a mail, and has 7 days to accept. Then you become admin.",
    )

    def __init__(self, *args: Any, organization: Organization, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        to = self.fields["to"]
        assert isinstance(to, forms.ModelChoiceField)
        members = selectors.members_of(organization).filter(is_active=True)
        to.queryset = members.exclude(pk=user.pk)


class Ownership(TenantPage):
    """Who owns the organization, and what is offered."""

    permission = "organization.view"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show owners and the open offer, with what this person may do."""
        return show(self, request)


class Offer(TenantPage):
    """A new offer of ownership."""

    permission = "organization.close"
    confirms_person = True

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Offer the organization, or show on the form why not."""
        form = OfferForm(request.POST, organization=self.organization, user=self.user)
        if not form.is_valid():
            return show(self, request, form)
        try:
            ownership.request_transfer(
                organization=self.organization,
                from_user=self.user,
                to_user=form.cleaned_data["to"],
            )
        except DomainError as error:
            add_refusal(form, error)
            return show(self, request, form)
        messages.success(request, "The offer is made. Nothing changes until it is accepted.")
        return redirect("rbac:ownership", slug=slug)


class Withdraw(TenantPage):
    """The end of an offer by an owner."""

    permission = "organization.close"

    def post(self, request: HttpRequest, slug: str, transfer_id: str) -> HttpResponse:
        """Take the offer back."""
        ownership.withdraw_transfer(transfer=find(self, transfer_id), user=self.user)
        messages.success(request, "The offer is withdrawn.")
        return redirect("rbac:ownership", slug=slug)


class Answer(TenantPage):
    """The answer of the one to whom it was offered."""

    permission = "organization.view"
    confirms_person = True

    def post(self, request: HttpRequest, slug: str, transfer_id: str, answer: str) -> HttpResponse:
        """
        Accept or decline.

        :raises Http404: for any other answer, and for an offer that is not his.
        """
        transfer = find(self, transfer_id)
        if answer not in ANSWERS or transfer.to_user != self.user:
            raise Http404
        work, text = ANSWERS[answer]
        work(transfer=transfer, user=self.user)
        messages.success(request, text)
        return redirect("rbac:ownership", slug=slug)


class StepDown(TenantPage):
    """The end of one's own ownership, where another owner remains."""

    permission = "organization.close"

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Become admin."""
        ownership.step_down(organization=self.organization, user=self.user)
        messages.success(request, "You are admin now.")
        return redirect("rbac:ownership", slug=slug)


def find(page: TenantPage, transfer_id: str) -> OwnershipTransfer:
    """
    Return the organization's offer with this id.

    :raises Http404: if there is none.
    """
    row_id = OwnershipTransfer.read_id(transfer_id)
    if row_id is None:
        raise Http404
    return get_object_or_404(selectors.transfers_of(page.organization), pk=row_id)


def show(page: TenantPage, request: HttpRequest, form: OfferForm | None = None) -> HttpResponse:
    """Show the page; those who own nothing see no form."""
    owners = list(selectors.owners_of(page.organization))
    transfer = selectors.open_transfer_of(page.organization)
    owns = page.user in owners
    if form is None and owns and transfer is None:
        form = OfferForm(organization=page.organization, user=page.user)
    context = {
        "owners": owners,
        "owns": owns,
        "transfer": transfer,
        "is_asked": transfer is not None and transfer.to_user == page.user,
        "may_step_down": owns and len(owners) > 1,
        "form": form,
    }
    return render(request, "rbac/ownership.html", context)

"""A person's pages about what is kept of him: take it along, or have it erased."""

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views import View

from apps.core.errors import DomainError
from apps.core.files import StoredFile, stored_file
from apps.core.pages import add_refusal, refusal_page
from apps.rbac.models import PersonalExport
from apps.rbac.selectors.erasures import organizations_without, pending_erasure_of
from apps.rbac.selectors.personal_data import exports_of
from apps.rbac.services import erasures, personal_exports
from apps.tenants.models import User
from apps.tenants.pages.views import the_person
from apps.tenants.selectors.config import value_of

MOST_EXPORTS = 10  # shown on the page


class ErasureForm(forms.Form):
    """Asks for the person's own address, so that nobody is erased by a press too many."""

    confirmation = forms.CharField(
        label="Type your e-mail address to confirm",
        max_length=254,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none"}),
    )


class Privacy(LoginRequiredMixin, View):
    """What one can do about one's own data."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show exports, and what an erasure would do."""
        return show(request, ErasureForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask for the erasure; allauth asks for the password first."""
        user = the_person(request)
        raise_if_reauthentication_required(request, app="apps.rbac")
        form = ErasureForm(request.POST)
        if form.is_valid():
            try:
                erasures.request_erasure(user=user, **form.cleaned_data)
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                messages.success(request, "Your account will be erased. You can still undo it.")
                return redirect("privacy")
        return show(request, form, status=422)


class Undo(LoginRequiredMixin, View):
    """The end of an erasure that was asked for."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep the account."""
        try:
            erasures.cancel_erasure(user=the_person(request))
        except DomainError as refusal:
            return refusal_page(request, refusal)
        messages.success(request, "Your account stays.")
        return redirect("privacy")


class Export(LoginRequiredMixin, View):
    """A new file of one's own data."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask a worker for it; allauth asks for the password first."""
        raise_if_reauthentication_required(request, app="apps.rbac")
        personal_exports.request_export(user=the_person(request))
        messages.success(request, "Your file is being made.")
        return redirect("privacy")


class Download(LoginRequiredMixin, View):
    """One's own file; another person's does not exist."""

    def get(self, request: HttpRequest, export_id: str) -> HttpResponseBase:
        """
        Hand it out; allauth asks for the password first.

        :raises Http404: if there is no such file of his.
        """
        row_id = PersonalExport.read_id(export_id)
        if row_id is None:
            raise Http404
        export = get_object_or_404(exports_of(the_person(request)), pk=row_id)
        raise_if_reauthentication_required(request, app="apps.rbac")
        try:
            ready = personal_exports.note_download(export=export)
        except DomainError as refusal:
            return refusal_page(request, refusal)
        answer = stored_file(StoredFile(str(ready.file), "application/zip", "your-data.zip"))
        answer["Content-Disposition"] = 'attachment; filename="your-data.zip"'
        answer["Cache-Control"] = "no-store"
        return answer


def show(request: HttpRequest, form: ErasureForm, *, status: int = 200) -> HttpResponse:
    """Show the page."""
    user: User = the_person(request)
    alone = organizations_without(user)
    context = {
        "form": form,
        "exports": list(exports_of(user)[:MOST_EXPORTS]),
        "erasure": pending_erasure_of(user),
        "grace_days": value_of(erasures.GRACE_DAYS),
        "kept_days": personal_exports.KEPT.days,
        "closed_with_him": [one.organization.name for one in alone if not one.has_others],
        "needs_owner": [one.organization.name for one in alone if one.has_others],
    }
    return render(request, "rbac/privacy.html", context, status=status)

"""The programme's pages of what members ask for: the list, and the answer to one."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from apps.core import paging
from apps.core.errors import DomainError
from apps.core.pages import add_refusal
from apps.credits.selectors import balance_of, main_wallet
from apps.partners.errors.asking import RequestDecided
from apps.partners.models import CreditRequest
from apps.partners.pages import tables
from apps.partners.pages.asking_forms import ApproveForm, DeclineForm, RequestFilter
from apps.partners.pages.base import ProgrammePage
from apps.partners.selectors.requests import request_of, requests_of
from apps.partners.services import requests


class Requests(ProgrammePage):
    """What members asked for: those that wait, unless others are asked for."""

    tab = "requests"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of requests, newest first, or all of them as CSV."""
        form = RequestFilter(request.GET)
        rows = requests_of(self.partner, status=form.chosen)
        if self.wants_file:
            return self.send("credit-requests", tables.REQUESTS, paging.every(rows))
        here, status = reverse("partners:requests", args=[slug]), request.GET.get("status", "")
        chosen = {"status": status} if status else {}
        shown, links = self.listed(rows, here, chosen, among=requests_of(self.partner))
        page = {"requests": shown, "filter_form": form, **links}
        return self.show("partners/requests.html", page)


class OneRequest(ProgrammePage):
    """One request, with what the pool has, and the forms that answer it."""

    tab = "requests"

    def get(self, request: HttpRequest, slug: str, request_id: str) -> HttpResponse:
        """Show the request."""
        return self.show_one(request_of(self.partner, request_id))

    def show_one(
        self,
        found: CreditRequest,
        *,
        approve: forms.Form | None = None,
        decline: forms.Form | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """Show the request with both forms, one of them perhaps with its errors."""
        can_answer = self.can_manage and found.status == CreditRequest.Status.PENDING
        page = {
            "found": found,
            "available": balance_of(main_wallet(self.organization)).available,
            "approve_form": approve or ApproveForm(initial={"credits": found.credits}),
            "decline_form": decline or DeclineForm(),
            "can_answer": can_answer,
        }
        return self.show("partners/request.html", page, status=status)

    def lead_back(self, found: CreditRequest, error: DomainError) -> HttpResponse:
        """Say why the answer came too late: the page has no form any more that could."""
        messages.error(self.request, str(error))
        return redirect("partners:request", slug=self.organization.slug, request_id=found.public_id)


class Approve(OneRequest):
    """The answer that gives credits."""

    permission = "partners.manage"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, request_id: str) -> HttpResponse:
        """Award the credits, or show why they cannot be."""
        found = request_of(self.partner, request_id)
        form = ApproveForm(request.POST)
        if not form.is_valid():
            return self.show_one(found, approve=form, status=422)
        try:
            done = requests.approve_request(request=found, by=self.user, **form.cleaned_data)
        except RequestDecided as error:
            return self.lead_back(found, error)
        except DomainError as error:
            add_refusal(form, error)
            return self.show_one(found, approve=form, status=error.status)
        assert done.award is not None
        given = f"{done.member.email} got {done.award.credits:,} credits, and a mail that says so."
        messages.success(request, given)
        return redirect("partners:requests", slug=slug)


class Decline(OneRequest):
    """The answer that gives none."""

    permission = "partners.manage"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, request_id: str) -> HttpResponse:
        """Decline, and tell the member why."""
        found = request_of(self.partner, request_id)
        form = DeclineForm(request.POST)
        if not form.is_valid():
            return self.show_one(found, decline=form, status=422)
        try:
            requests.decline_request(request=found, by=self.user, **form.cleaned_data)
        except RequestDecided as error:
            return self.lead_back(found, error)
        except DomainError as error:
            add_refusal(form, error)
            return self.show_one(found, decline=form, status=error.status)
        messages.success(request, f"{found.member.email} gets a mail with your answer.")
        return redirect("partners:requests", slug=slug)

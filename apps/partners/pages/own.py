"""A member's own pages: what he has, who gave it, what became of it, and asking for more."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core import paging
from apps.core.errors import DomainError
from apps.core.exports import stream_csv
from apps.core.pages import add_refusal
from apps.credits import selectors as ledger
from apps.credits.selectors import Operation
from apps.partners.errors.asking import MemberCannotAsk, RequestPending
from apps.partners.models import CreditRequest, PartnerMember
from apps.partners.pages.asking_forms import AskForm
from apps.partners.selectors.own import find_own_membership, own_lots, own_membership
from apps.partners.selectors.requests import own_request, own_requests
from apps.partners.services import requests
from apps.rbac.pages.base import TenantPage

PAGE_SIZE = 25
REQUESTS_SHOWN = 10


class OwnPage(TenantPage):
    """A page of what is the viewer's own; who spends credits may ask for more."""

    permission = "credits.view_own"
    permission_to_change = "jobs.submit"

    def member(self) -> PartnerMember:
        """
        Return who the viewer is in the programme.

        :raises NotAMember: if he is nobody there.
        """
        return own_membership(self.organization, self.user)


class MyCredits(OwnPage):
    """The member's balance, his lots with their givers, and the form that asks for more."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show it; to who is no member, how one becomes one."""
        member = find_own_membership(self.organization, self.user)
        if member is None:
            return render(request, "partners/my_credits_none.html")
        return self.show(member, AskForm())

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Ask for more, or show why that cannot be."""
        member, form = self.member(), AskForm(request.POST)
        if not form.is_valid():
            return self.show(member, form, status=422)
        try:
            requests.request_credits(member=member, **form.cleaned_data)
        except (MemberCannotAsk, RequestPending) as error:
            messages.error(request, str(error))  # the page has no form any more that could say it
        except DomainError as error:
            add_refusal(form, error)
            return self.show(member, form, status=error.status)
        else:
            messages.success(request, f"{member.partner.name} has your request.")
        return redirect("partners:my_credits", slug=slug)

    def show(self, member: PartnerMember, form: AskForm, *, status: int = 200) -> HttpResponse:
        """Show the page."""
        asked = list(own_requests(member)[:REQUESTS_SHOWN])
        pending = next((one for one in asked if one.status == CreditRequest.Status.PENDING), None)
        may_ask = self.user.has_perm(self.permission_to_change, self.organization)
        is_active = member.status == PartnerMember.Status.ACTIVE
        page = {
            "member": member,
            "balance": ledger.balance_of(member.wallet),
            "lots": own_lots(member),
            "operations": [
                line_of(one) for one in ledger.recent_operations(member.wallet, limit=5)
            ],
            "requests": asked,
            "pending": pending,
            "form": form if may_ask and is_active and not pending else None,
            "may_withdraw": may_ask,
            "can_submit": may_ask,
        }
        return render(self.request, "partners/my_credits.html", page, status=status)


class WithdrawRequest(OwnPage):
    """The end of a request that nobody has answered."""

    permission = "jobs.submit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, request_id: str) -> HttpResponse:
        """Take it back."""
        found = own_request(self.organization, self.user, request_id)
        try:
            requests.withdraw_request(request=found)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "The request is withdrawn.")
        return redirect("partners:my_credits", slug=slug)


class History(OwnPage):
    """Every credit in and out of the member's wallet, newest first."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of operations, or all movements as CSV."""
        wallet = self.member().wallet
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-my-credits.csv",
                columns=ledger.TRANSACTION_COLUMNS,
                rows=ledger.transaction_rows(ledger.transactions_of(wallet)),
            )
        heads = ledger.heads_of_operations(wallet).order_by("-sequence")
        before = request.GET.get("before", "")
        if before.isdecimal():
            heads = heads.filter(sequence__lt=int(before[:18]))
        shown, end = paging.page_of(heads, size=PAGE_SIZE)
        here = reverse("partners:my_history", args=[slug])
        page = {
            "operations": [line_of(one) for one in ledger.operations(shown)],
            "export_url": f"{here}?format=csv",
            "next_url": f"{here}?before={end.sequence}" if end else None,
            "first_url": here if before else None,
        }
        return render(request, "partners/my_history.html", page)


def line_of(operation: Operation) -> dict[str, Any]:
    """Return one operation as the templates want it."""
    last = operation.last
    return {
        "type": last.transaction_type,
        "description": last.description or last.source.capitalize(),
        "amount": operation.amount,
        "balance_after": last.balance_after,
        "created_at": last.created_at,
    }

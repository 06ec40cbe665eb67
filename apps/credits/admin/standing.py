"""How staff say what a wallet may do: freeze, thaw, close, reopen, and its credit line."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core.errors import DomainError
from apps.credits.admin.forms import WalletForm, show_refusal
from apps.credits.models import Wallet
from apps.credits.services.wallets import change_status, set_credit_line

STATUS = {
    "freeze": {"is_frozen": True},
    "thaw": {"is_frozen": False},
    "close": {"is_closed": True},
    "reopen": {"is_closed": False},
}


def standing_page(request: HttpRequest, wallet: Wallet, frame: dict[str, Any]) -> HttpResponse:
    """Show the form, or change what it says and go back to the wallet."""
    form = WalletForm(request.POST or None, wallet=wallet)
    if request.method == "POST" and form.is_valid():
        try:
            _change(wallet, form.cleaned_data)
        except DomainError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, "The wallet is changed.")
            return redirect(reverse("admin:credits_wallet_change", args=[wallet.pk]))
    page = {**frame, "title": "Freeze, close, credit line", "wallet": wallet, "form": form}
    status = 422 if form.errors else 200
    return render(request, "admin/credits/standing.html", page, status=status)


def _change(wallet: Wallet, given: dict[str, Any]) -> None:
    if given["change"] == "credit_line":
        set_credit_line(wallet=wallet, limit=given["limit"], reason=given["reason"])
    else:
        change_status(wallet=wallet, reason=given["reason"], **STATUS[given["change"]])

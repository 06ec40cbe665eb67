"""The customer's pages of holds: credits set aside until it is known what something costs."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.exports import stream_csv
from apps.credits import selectors
from apps.credits.models import CreditTransaction, Hold
from apps.credits.pages.forms import HoldFilter
from apps.credits.pages.views import CreditsPage

PAGE_SIZE = 25


class Holds(CreditsPage):
    """What is held now, and what became of earlier holds."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page, open holds first, or all of them as CSV."""
        wallet = self.wallet()
        form = HoldFilter(request.GET)
        holds = form.apply(selectors.holds_of(wallet, actor=self.visible_actor(wallet)))
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-holds.csv",
                columns=selectors.HOLD_COLUMNS,
                rows=selectors.hold_rows(holds),
            )
        after = request.GET.get("after", "")
        page, beginning = selectors.page_of_holds(holds, size=PAGE_SIZE, after=after)
        here = reverse("credits:holds", args=[slug])
        chosen = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
        now = database_now()
        context = {
            "held": wallet.held,
            "holds": [hold_line(hold, now) for hold in page],
            "filter_form": form,
            "is_filtered": bool(chosen),
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "next_url": f"{here}?{urlencode({**chosen, 'after': beginning})}"
            if beginning
            else None,
            "first_url": f"{here}?{urlencode(chosen)}" if after else None,
        }
        return render(request, "credits/holds.html", context)


class HoldPage(CreditsPage):
    """One hold: its terms, and what moved because of it."""

    def get(self, request: HttpRequest, slug: str, hold_id: str) -> HttpResponse:
        """Show the hold with its movements."""
        wallet = self.wallet()
        hold = selectors.hold_of(wallet, hold_id, actor=self.visible_actor(wallet))
        context = {
            "hold": {
                **hold_line(hold, database_now()),
                "policy": POLICIES[Hold.Policy(hold.policy)],
            },
            "movements": [movement_line(one) for one in selectors.movements_of_hold(hold)],
        }
        return render(request, "credits/hold.html", context)


POLICIES = {
    Hold.Policy.REJECT: "The capture is refused",
    Hold.Policy.CAP: "As much as was held is captured",
    Hold.Policy.OVERFLOW: "The excess is charged as well",
}


def hold_line(hold: Hold, now: datetime) -> dict[str, Any]:
    """Return one hold as the templates want it."""
    is_open = hold.status == Hold.Status.HELD
    return {
        "id": hold.public_id,
        "reference": hold.reference,
        # Past its time it is released by the next movement or the sweep, whatever comes first.
        "status": "due" if is_open and hold.expires_at <= now else hold.status,
        "is_open": is_open,
        "amount": hold.amount,
        "captured": hold.captured,
        "event": hold.credit_event.name if hold.credit_event else "",
        "expires_at": hold.expires_at,
        "created_at": hold.created_at,
    }


def movement_line(entry: CreditTransaction) -> dict[str, Any]:
    """Return one movement of a hold."""
    return {
        "id": entry.public_id,
        "type": entry.transaction_type,
        "lot_kind": entry.lot.kind,
        "amount": entry.amount,
        "balance_after": entry.balance_after,
        "created_at": entry.created_at,
    }

"""What the pages of billing share: who may, and whether anything can be bought at all."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.billing.gateway.client import is_configured, is_simulated
from apps.rbac.pages.base import TenantPage

MOST_LOOKS = 60  # some minutes; whoever waits longer loads the page himself


def number_of_look(request: HttpRequest) -> int:
    """Return how often a page that waits for Stripe's news has been asked for before."""
    number = request.GET.get("look", "0")
    return int(number[:4]) if number.isdecimal() else 0


def next_look(request: HttpRequest) -> str:
    """Return where a page that waits for Stripe's news asks again; empty: it waits no longer."""
    number = number_of_look(request) + 1
    if number > MOST_LOOKS:
        return ""
    query = request.GET.copy()
    query["look"] = str(number)
    return f"{request.path}?{query.urlencode()}"


class BillingPage(TenantPage):
    """A page of billing: looking takes one permission, buying and changing another."""

    permission = "billing.view"
    permission_to_change = "billing.manage"

    def show(self, template: str, page: dict[str, Any], status: int = 200) -> HttpResponse:
        """Draw the page with the facts that each page of billing shows."""
        may = self.user.has_perm("billing.manage", self.organization)
        shared = {
            "can_manage": may,
            "is_configured": is_configured(),
            "is_simulated": is_simulated(),
            "is_test": not settings.STRIPE_LIVE_MODE,
            "can_buy": may and is_configured(),
        }
        return render(self.request, template, {**shared, **page}, status=status)

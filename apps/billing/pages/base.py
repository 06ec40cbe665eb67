"""What the pages of billing share: who may, and whether anything can be bought at all."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.billing.errors import StripeRefused, StripeUnavailable
from apps.billing.gateway.client import is_configured, is_simulated
from apps.billing.models import Payment
from apps.billing.selectors.payments import payment_of
from apps.billing.services import checkout
from apps.billing.services.keyed import write_once
from apps.core.pages import number_of_look
from apps.rbac.pages.base import TenantPage

MOST_LOOKS = 60  # some minutes; whoever waits longer loads the page himself
ASKS_EVERY = 4  # looks; what lies between waits for Stripe's own news


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


class PayingPage(BillingPage):
    """A page that buys something once, on Stripe's page."""

    def pay_once(self, key: str, what: str, write: Callable[[], Payment]) -> HttpResponseBase:
        """
        Write the purchase down, and lead to where it is paid.

        The key belongs to one form; gone back to and filled in otherwise, it buys another thing.
        """
        written = write_once(
            scope=f"{self.organization.public_id}:{self.user.public_id}:page:billing:buy",
            key=f"{key}:{what}",
            digest=hashlib.sha256(what.encode()).digest(),
            write=write,
        )
        return redirect(self.place_to_pay(written))

    def place_to_pay(self, payment_id: UUID) -> str:
        """Return Stripe's page, or our own page of the payment where there is none to be had."""
        payment = payment_of(self.organization, payment_id)
        # Where it fails the payment's page tells it, and goes on by itself.
        with suppress(StripeRefused, StripeUnavailable):
            payment = checkout.open_checkout(payment)
        place = reverse("billing:payment", args=[self.organization.slug, payment.public_id])
        return payment.pay_url if payment.status == Payment.Status.OPEN else place

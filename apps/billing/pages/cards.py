"""How the organization pays: its card, as far as a receipt shows it, and where to change it."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from apps.billing.gateway.client import is_configured
from apps.billing.models import Customer
from apps.billing.pages.base import BillingPage, next_look
from apps.billing.services import cards

SOON_MONTHS = 2  # the month in which it ends, and the one before


class PaymentMethods(BillingPage):
    """The card that is charged."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show brand, last digits and expiry; never more of a card."""
        customer = Customer.objects.filter(organization=self.organization).first()
        card, was_saved = card_line(customer, timezone.localdate()), request.GET.get("saved") == "1"
        page = {
            "card": card,
            "was_saved": was_saved,
            "look_url": next_look(request) if was_saved and not card else "",
        }
        return self.show("billing/payment_methods.html", page)


class SaveCard(BillingPage):
    """The way to the page of Stripe's that saves a card."""

    permission = "billing.manage"

    def post(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Lead there; back to where it says why, if nothing is configured."""
        if not is_configured():
            return redirect("billing:payment_methods", slug)
        return redirect(cards.page_to_save_card(organization=self.organization))


class Portal(BillingPage):
    """The way to Stripe's portal."""

    permission = "billing.manage"

    def post(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Lead there by an address that is made for this click, and kept nowhere."""
        if not is_configured():
            return redirect("billing:payment_methods", slug)
        return redirect(cards.portal_page(organization=self.organization))


def card_line(customer: Customer | None, today: date) -> dict[str, Any] | None:
    """Return the card for the page, or None if there is none."""
    if customer is None or not customer.payment_method_id:
        return None
    year, month = customer.card_exp_year, customer.card_exp_month
    left = None if year is None or month is None else months_left(year, month, today)
    return {
        "brand": customer.card_brand.replace("_", " ").title() or "Payment method",
        "last4": customer.card_last4,
        "expiry": f"{month:02}/{year}" if left is not None else "",
        "is_expired": left is not None and left < 0,
        "expires_soon": left is not None and 0 <= left < SOON_MONTHS,
    }


def months_left(year: int, month: int, today: date) -> int:
    """Return the whole months after this one in which a card still works; it works in its last."""
    return (year - today.year) * 12 + month - today.month

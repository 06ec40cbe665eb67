"""The page on which credits are bought; what it takes to decide stands beside each button."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from apps.billing.errors import AmountNotOffered
from apps.billing.models import ProductVersion
from apps.billing.pages.base import BillingPage, PayingPage
from apps.billing.pages.forms import CustomForm, PackForm, new_key
from apps.billing.selectors.catalogue import current_products
from apps.billing.selectors.offers import (
    AUTOMATIC_TAX,
    REFUND_TERMS,
    CustomTerms,
    best_value,
    custom_terms,
    expiry_if_bought,
)
from apps.billing.services import purchases
from apps.core.clock import database_now
from apps.core.errors import DomainError
from apps.core.money import format_money, format_unit_price
from apps.core.pages import add_refusal
from apps.tenants.selectors.config import value_of

CUSTOM = "custom"


class Buy(PayingPage):
    """Packs, and an amount of one's own choice."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show what is offered."""
        return self.offer()

    def post(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Buy once, however often it is clicked, and lead to Stripe's page."""
        if request.POST.get("what") == CUSTOM:
            return self.buy_custom(request)
        form = PackForm(request.POST)
        version_id = ProductVersion.read_id(str(request.POST.get("version", "")))
        if not form.is_valid() or version_id is None:
            return self.offer(problem="Choose a pack.", status=422)
        amount = form.cleaned_data["amount"]
        try:
            return self.pay_once(
                form.cleaned_data["idempotency_key"],
                f"pack:{version_id}:{amount}",
                lambda: purchases.buy_pack(
                    organization=self.organization,
                    user=self.user,
                    version_id=version_id,
                    amount=amount,
                ),
            )
        except DomainError as error:
            return self.offer(problem=str(error), status=error.status)

    def buy_custom(self, request: HttpRequest) -> HttpResponseBase:
        """Buy as many credits as were asked for."""
        terms = custom_terms()
        if terms is None:
            return self.offer(problem="Only packs are sold here now.", status=409)
        form = CustomForm(request.POST, terms=terms)
        if not form.is_valid():
            return self.offer(form=form, status=422)
        credits, amount = form.cleaned_data["credits"], form.cleaned_data["amount"]
        try:
            return self.pay_once(
                form.cleaned_data["idempotency_key"],
                f"custom:{credits}:{amount}",
                lambda: purchases.buy_amount(
                    organization=self.organization,
                    user=self.user,
                    credits=credits,
                    amount=amount,
                ),
            )
        except AmountNotOffered as error:
            add_refusal(form, error)
            return self.offer(form=form, status=422)
        except DomainError as error:
            return self.offer(form=form, problem=str(error), status=error.status)

    def offer(
        self, *, form: CustomForm | None = None, problem: str = "", status: int = 200
    ) -> HttpResponse:
        """Show what is offered, with whatever was wrong."""
        terms = custom_terms()
        packs, now = current_products(), database_now()
        best = best_value(packs)
        if form is None and terms is not None:
            form = CustomForm(
                initial={"credits": terms.minimum, "idempotency_key": new_key()}, terms=terms
            )
        page = {
            "packs": [pack_line(one, now, is_best=one == best) for one in packs],
            "form": form if terms else None,
            "quote": quote_for(terms, form["credits"].value()) if terms and form else None,
            "problem": problem,
            "terms": terms_of_sale(),
        }
        return self.show("billing/buy.html", page, status)


class Quote(BillingPage):
    """The price of a number of credits, as a part of the form."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show what so many credits cost now."""
        terms = custom_terms()
        quote = quote_for(terms, request.GET.get("credits")) if terms else None
        page = {"quote": quote, "terms": terms_of_sale()}
        return render(request, "billing/_quote.html", page)


def pack_line(version: ProductVersion, now: datetime, *, is_best: bool) -> dict[str, Any]:
    """Return a pack as the page shows it."""
    return {
        "version": version.public_id,
        "key": new_key(),
        "code": version.product.code,
        "name": version.product.name,
        "description": version.product.description,
        "credits": version.all_credits,
        "bonus": version.bonus_credits,
        "amount": version.price,
        "price": format_money(version.price, version.currency),
        "unit_price": format_unit_price(version.price, version.all_credits, version.currency),
        "expires_at": expiry_if_bought(version.valid_days, now),
        "is_best": is_best,
    }


def quote_for(terms: CustomTerms, credits: Any) -> dict[str, Any] | None:
    """Return what so many credits cost, or None if so many are not sold."""
    text = str(credits)
    if not text.isdecimal() or not terms.minimum <= int(text[:12]) <= terms.maximum:
        return None
    number = int(text[:12])
    amount = terms.amount_of(number)
    return {
        "credits": number,
        "amount": amount,
        "price": format_money(amount, terms.currency),
        "unit_price": format_unit_price(amount, number, terms.currency),
        "expires_at": expiry_if_bought(terms.valid_days, database_now()),
    }


def terms_of_sale() -> dict[str, Any]:
    """Return what stands beside each button: tax and refunds."""
    return {"has_tax": value_of(AUTOMATIC_TAX), "refunds": value_of(REFUND_TERMS)}

"""The customer's page of the price list."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from apps.credits import selectors
from apps.credits.models import CreditEvent
from apps.rbac.pages.base import TenantPage


@dataclass
class Price:
    """An event at its present price, and what it cost before."""

    event: CreditEvent
    history: list[CreditEvent] = field(default_factory=list)  # newest first

    @property
    def category(self) -> str:
        """Its category, as people read it."""
        return label(self.event.category)


class PriceFilter(forms.Form):
    """Which prices to show; lives in the query string."""

    category = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, categories: list[str]) -> None:
        super().__init__(*args)
        choices = [("", "All categories"), *((one, label(one)) for one in categories)]
        category = self.fields["category"]
        assert isinstance(category, forms.ChoiceField)
        category.choices = choices

    @property
    def chosen(self) -> str:
        """The category, or nothing for all of them."""
        return self.cleaned_data.get("category", "") if self.is_valid() else ""


class Prices(TenantPage):
    """What each thing costs now, and what it cost before."""

    permission = "credits.view_own"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the price list, by category; a price that is to come is not shown."""
        prices = with_history(selectors.price_versions())
        categories = sorted({price.event.category for price in prices})
        form = PriceFilter(request.GET, categories=categories)
        page = {
            "prices": [one for one in prices if form.chosen in ("", one.event.category)],
            "filter_form": form,
            "is_filtered": bool(form.chosen),
            "reset_url": reverse("credits:prices", args=[slug]),
        }
        return render(request, "credits/prices.html", page)


def with_history(versions: Iterable[CreditEvent]) -> list[Price]:
    """Return the events that can be charged, each with its earlier versions."""
    prices: dict[str, Price] = {}
    for version in versions:  # newest first within an event
        if version.name in prices:
            prices[version.name].history.append(version)
        else:
            prices[version.name] = Price(version)
    return sorted(
        (price for price in prices.values() if price.event.is_active),
        key=lambda price: (price.event.category, price.event.name),
    )


def label(category: str) -> str:
    """Return a category as people read it."""
    return category.replace("_", " ").capitalize()

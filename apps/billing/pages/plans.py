"""The customer's page of plans: what each gives and costs, and which one is the own."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.billing.models import OrganizationSubscription, PlanVersion, SubscriptionPlan
from apps.billing.selectors import catalogue as selectors
from apps.billing.selectors import subscriptions as reading
from apps.billing.services.plan_features import describe_features
from apps.credits.selectors.prices import price_list
from apps.rbac.pages.base import TenantPage

ANNUAL = "annual"  # of the query string; monthly is what one sees without it
UNITS = {"month": ("month", "months"), "year": ("year", "years"), "pass": ("day", "days")}


@dataclass(frozen=True)
class Card:
    """A plan as it stands beside the others."""

    version: PlanVersion  # the own one, where the organization has the plan
    offered: PlanVersion | None  # what new subscribers get; None: the plan is archived
    features: list[str]  # what it gives beside credits and seats, as people read it
    is_current: bool = False  # the organization has this plan, in whichever version

    @property
    def plan(self) -> SubscriptionPlan:
        """The plan that this is a version of."""
        return self.version.plan

    @property
    def period(self) -> str:
        """How long one period is: `month`, `3 months`, `7 days`."""
        one, many = UNITS[self.version.interval]
        count = self.version.interval_count
        if count == 1 and not self.version.is_pass:
            return one
        return f"{count} {one if count == 1 else many}"

    @property
    def keeps_earlier_terms(self) -> bool:
        """Whether the organization has the plan on other terms than new subscribers get."""
        return self.is_current and self.version != self.offered


class Plans(TenantPage):
    """The plans, side by side."""

    permission = "billing.view"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the plans that are paid by the month, or by the year; and the own one always."""
        subscription, waiting = reading.standing_of(self.organization)
        cards = cards_of(subscription)
        is_annual = request.GET.get("show") == ANNUAL
        page = {
            "cards": [card for card in cards if is_shown(card, is_annual=is_annual)],
            "is_annual": is_annual,
            "has_annual": any(is_yearly(card) for card in cards),
            "subscription": subscription,
            "waiting": waiting,
            "has_trial": not reading.had_trial(self.organization),
        }
        return render(request, "billing/plans.html", page)


def cards_of(subscription: OrganizationSubscription | None) -> list[Card]:
    """Return a card for each plan that is offered, and for the own one, offered or not."""
    own = subscription.version if subscription else None
    words = {event.name: event.description for event in price_list()}

    def card(version: PlanVersion, offered: PlanVersion | None) -> Card:
        return Card(version, offered, describe_features(version.features, words), version == own)

    cards = []
    for offered in selectors.current_plans():
        is_own = own is not None and own.plan == offered.plan
        cards.append(card(own if is_own and own else offered, offered))
    if own and not any(card.is_current for card in cards):
        cards.append(card(own, None))
    return sorted(cards, key=lambda card: (card.plan.position, card.plan.code))


def is_shown(card: Card, *, is_annual: bool) -> bool:
    """Tell whether a card stands on the page: what costs nothing stands on both."""
    return card.is_current or not card.version.price or is_yearly(card) == is_annual


def is_yearly(card: Card) -> bool:
    """Tell whether it is paid by the year."""
    return card.version.interval == PlanVersion.Interval.YEAR

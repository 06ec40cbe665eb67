"""What keeps an automatic reload from charging, how much it would buy, and what was agreed to."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from apps.billing.gateway.client import is_configured
from apps.billing.models import AutoReload, Customer, Payment
from apps.billing.models.reload import MOST_FAILURES
from apps.billing.selectors.offers import AUTOMATIC_TAX, CustomTerms, custom_terms
from apps.core.clock import database_now
from apps.core.money import format_money, grouped
from apps.credits.selectors import balance_of, main_wallet
from apps.credits.selectors.budgets import month_of
from apps.tenants.models import Organization
from apps.tenants.selectors.config import value_of

LEAST_PAUSE = timedelta(seconds=60)  # between two attempts
WINDOW, MOST_IN_WINDOW = timedelta(minutes=10), 2  # attempts, whatever was agreed to
REARMED_AFTER = timedelta(minutes=10)  # where spending went on faster than it was filled up
UNPAID = (Payment.Status.FAILED, Payment.Status.CANCELLED)


class Why(StrEnum):
    """What keeps a reload from charging now; the first one that holds."""

    NOTHING = ""
    NOT_CONFIGURED = "not_configured"
    CLOSED = "organization_closed"
    OFF = "off"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    CHARGING = "charging"
    NO_CONSENT = "no_consent"
    NO_CARD = "no_card"
    NOT_OFFERED = "not_offered"
    TERMS_CHANGED = "terms_changed"
    FAILED_TOO_OFTEN = "failed_too_often"
    COOLING_DOWN = "cooling_down"
    TOO_SOON = "too_soon"
    TOO_MANY = "too_many"
    ENOUGH = "enough"
    NOT_ARMED = "not_armed"
    CAP_REACHED = "cap_reached"


class Facts:
    """
    All that a decision is made of, each read when it is first asked for, and then kept.

    Of workers that are rung together most need one of them only: somebody charges already.
    """

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.now = database_now()
        self._payments = Payment.objects.filter(organization=organization)
        self._reloads = self._payments.filter(purpose=Payment.Purpose.RELOAD)

    @cached_property
    def available(self) -> int:
        """How many credits there are."""
        return balance_of(main_wallet(self.organization)).available

    @cached_property
    def pending(self) -> int:
        """How many credits are paid for and on their way."""
        coming = self._payments.filter(status=Payment.Status.PROCESSING)
        return coming.aggregate(sum=Sum("credits"))["sum"] or 0

    @cached_property
    def is_charging(self) -> bool:
        """Whether an attempt has begun and is not over."""
        return self._reloads.filter(status__in=Payment.IN_FLIGHT).exists()

    @cached_property
    def attempts(self) -> int:
        """How many attempts there were in the window."""
        return self._reloads.filter(created_at__gt=self.now - WINDOW).count()

    @cached_property
    def spent(self) -> int:
        """What reloads cost this month in minor units, what is in flight included."""
        begins = month_begins(self.organization, self.now)
        paid = self._reloads.exclude(status__in=UNPAID).filter(created_at__gte=begins)
        return paid.aggregate(sum=Sum(F("amount") + F("tax")))["sum"] or 0

    @cached_property
    def card(self) -> Customer | None:
        """The customer whose saved card is charged."""
        return card_of(self.organization)

    @cached_property
    def terms(self) -> CustomTerms | None:
        """At which price reloads are bought; None if they are not offered."""
        return reload_terms()


def reload_of(organization: Organization) -> AutoReload | None:
    """Return what the organization has set, if it ever has."""
    return AutoReload.objects.filter(organization=organization).first()


def attempts_of(organization: Organization) -> QuerySet[Payment]:
    """Return the organization's automatic reloads, newest first."""
    found = Payment.objects.filter(organization=organization, purpose=Payment.Purpose.RELOAD)
    return found.order_by("-created_at", "-id")


def card_of(organization: Organization) -> Customer | None:
    """Return the customer whose saved card is charged, if there is one."""
    cards = Customer.objects.exclude(payment_method_id="").exclude(stripe_id=None)
    return cards.filter(organization=organization).first()


def reload_terms() -> CustomTerms | None:
    """
    Return at which price reloads are bought, or None if they are not offered.

    Stripe adds a tax to what is bought on its pages, and to invoices; not to the charge of a
    saved card. So where taxes are added by Stripe, nothing is charged without them.
    """
    return None if value_of(AUTOMATIC_TAX) else custom_terms()


def month_begins(organization: Organization, now: datetime) -> datetime:
    """Return the first moment of the organization's month."""
    zone = ZoneInfo(organization.time_zone)
    return datetime.combine(month_of(organization.time_zone, now), time(), zone).astimezone(UTC)


def size_of(reload: AutoReload, missing_from: int, terms: CustomTerms) -> int:
    """Return how many credits are bought at once if there are so many, so that it is enough."""
    if reload.mode == AutoReload.Mode.UP_TO:
        wanted = reload.amount - missing_from
    else:
        gap = max(1, reload.threshold - missing_from)
        wanted = -(-gap // reload.amount) * reload.amount
    return min(max(wanted, terms.minimum), terms.maximum)


def why_not(reload: AutoReload, facts: Facts) -> Why:
    """Return what keeps the reload from charging, or NOTHING."""
    return _for_good(reload, facts) or _for_now(reload, facts) or Why.NOTHING


def _for_good(reload: AutoReload, facts: Facts) -> Why | None:
    """Return what somebody has to mend."""
    has_agreed = reload.consent_text and reload.consented_at and reload.consented_by_id
    is_ready = reload.state == AutoReload.State.READY
    return _first(
        (Why.NOT_CONFIGURED, lambda: not is_configured()),
        (Why.CLOSED, lambda: not facts.organization.is_active),
        (Why.OFF, lambda: not reload.is_enabled),
        (Why.CHARGING, lambda: is_ready and facts.is_charging),
        (Why.PAUSED, lambda: reload.state == AutoReload.State.PAUSED),
        (Why.SUSPENDED, lambda: reload.state == AutoReload.State.SUSPENDED),
        (Why.NO_CONSENT, lambda: not has_agreed),
        (Why.NO_CARD, lambda: facts.card is None),
        (Why.NOT_OFFERED, lambda: facts.terms is None),
        (Why.TERMS_CHANGED, lambda: _has_other_terms(reload, facts.terms)),
        (Why.FAILED_TOO_OFTEN, lambda: reload.consecutive_failures >= MOST_FAILURES),
    )


def _for_now(reload: AutoReload, facts: Facts) -> Why | None:
    """Return what time, or the next debit, changes."""
    last, now, cap = reload.last_attempt_at, facts.now, reload.monthly_cap
    rests_until = reload.back_off_until
    return _first(
        (Why.COOLING_DOWN, lambda: rests_until is not None and rests_until > now),
        (Why.ENOUGH, lambda: facts.available + facts.pending >= reload.threshold),
        (Why.TOO_SOON, lambda: last is not None and now < last + LEAST_PAUSE),
        (
            Why.NOT_ARMED,
            lambda: not reload.is_armed and last is not None and now < last + REARMED_AFTER,
        ),
        (Why.TOO_MANY, lambda: facts.attempts >= MOST_IN_WINDOW),
        (Why.CAP_REACHED, lambda: cap is not None and facts.spent + _price(reload, facts) > cap),
    )


def _first(*reasons: tuple[Why, Callable[[], bool]]) -> Why | None:
    """Return the first one that holds; those after it are not even asked."""
    return next((why for why, holds in reasons if holds()), None)


def _has_other_terms(reload: AutoReload, terms: CustomTerms | None) -> bool:
    """Tell whether more would be charged than was agreed to, or other money."""
    if terms is None:
        return False
    is_dearer = terms.price > reload.price or terms.minimum > reload.amount  # the least one buys
    return terms.currency != reload.currency or is_dearer


def _price(reload: AutoReload, facts: Facts) -> int:
    assert facts.terms is not None, "asked before"
    size = size_of(reload, facts.available + facts.pending, facts.terms)
    return facts.terms.amount_of(size)


def sentence(reload: AutoReload, customer: Customer | None, terms: CustomTerms) -> str:
    """Say in one sentence what is agreed to; the same words are shown, sent and kept."""
    card = card_name(customer) if customer else "the saved card"
    threshold = grouped(reload.threshold)
    begin = f"When the balance falls below {threshold} credits, we charge {card}"
    if reload.mode == AutoReload.Mode.UP_TO:
        most = format_money(terms.amount_of(size_of(reload, 0, terms)), terms.currency)
        what = f"for what is missing up to {grouped(reload.amount)} credits (at most {most})"
    else:
        price = format_money(terms.amount_of(max(reload.amount, terms.minimum)), terms.currency)
        each = max(reload.amount, terms.minimum)
        what = f"{price} for each {grouped(each)} credits that it takes to reach {threshold} again"
    cap = reload.monthly_cap
    limit = f", at most {format_money(cap, reload.currency)} a month" if cap else ""
    each_month = limit or ", with no monthly limit"
    rate = format_money(terms.amount_of(1000), terms.currency)
    return f"{begin} {what}{each_month}. 1,000 credits cost {rate}."


def card_name(customer: Customer) -> str:
    """Return a card as it is written: Visa •••• 4242."""
    brand = customer.card_brand.replace("_", " ").title() or "your payment method"
    return f"{brand} •••• {customer.card_last4}" if customer.card_last4 else brand


def next_month_begins(organization: Organization) -> datetime:
    """Return when the organization's present month is over, in its own time zone."""
    begins = month_begins(organization, timezone.now()).astimezone(ZoneInfo(organization.time_zone))
    return (begins.replace(day=28) + timedelta(days=5)).replace(day=1)

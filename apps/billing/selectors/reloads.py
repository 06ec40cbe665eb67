"""What keeps an automatic reload from charging, how much it would buy, and what was agreed to."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
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


@dataclass(frozen=True)
class Facts:
    """All that a decision is made of, as it is at one moment."""

    now: datetime
    is_configured: bool
    is_open: bool  # the organization
    available: int  # credits
    pending: int  # credits that are paid for and on their way
    is_charging: bool
    attempts: int  # in the window
    spent: int  # minor units, this month, what is in flight included
    has_card: bool
    terms: CustomTerms | None


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


def facts_of(organization: Organization) -> Facts:
    """Return what decides now. Whoever charges reads it under the lock of the AutoReload."""
    now = database_now()
    payments = Payment.objects.filter(organization=organization)
    reloads = payments.filter(purpose=Payment.Purpose.RELOAD)
    coming = payments.filter(status=Payment.Status.PROCESSING).aggregate(sum=Sum("credits"))
    paid = reloads.exclude(status__in=UNPAID).filter(
        created_at__gte=month_begins(organization, now)
    )
    return Facts(
        now=now,
        is_configured=is_configured(),
        is_open=organization.is_active,
        available=balance_of(main_wallet(organization)).available,
        pending=coming["sum"] or 0,
        is_charging=reloads.filter(status__in=Payment.IN_FLIGHT).exists(),
        attempts=reloads.filter(created_at__gt=now - WINDOW).count(),
        spent=paid.aggregate(sum=Sum(F("amount") + F("tax")))["sum"] or 0,
        has_card=card_of(organization) is not None,
        terms=reload_terms(),
    )


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
    terms = facts.terms
    found = {
        Why.NOT_CONFIGURED: not facts.is_configured,
        Why.CLOSED: not facts.is_open,
        Why.OFF: not reload.is_enabled,
        Why.CHARGING: facts.is_charging and reload.state == AutoReload.State.READY,
        Why.PAUSED: reload.state == AutoReload.State.PAUSED,
        Why.SUSPENDED: reload.state == AutoReload.State.SUSPENDED,
        Why.NO_CONSENT: not (
            reload.consent_text and reload.consented_at and reload.consented_by_id
        ),
        Why.NO_CARD: not facts.has_card,
        Why.NOT_OFFERED: terms is None,
        Why.TERMS_CHANGED: terms is not None
        and (
            terms.currency != reload.currency
            or terms.price > reload.price
            or terms.minimum > reload.amount  # the least that is sold is more than agreed
        ),
        Why.FAILED_TOO_OFTEN: reload.consecutive_failures >= MOST_FAILURES,
    }
    return next((why for why, holds in found.items() if holds), None)


def _for_now(reload: AutoReload, facts: Facts) -> Why | None:
    """Return what time, or the next debit, changes."""
    assert facts.terms is not None, "asked before"
    last, now = reload.last_attempt_at, facts.now
    here = facts.available + facts.pending
    price = facts.terms.amount_of(size_of(reload, here, facts.terms))
    found = {
        Why.COOLING_DOWN: reload.back_off_until is not None and reload.back_off_until > now,
        Why.ENOUGH: here >= reload.threshold,
        Why.TOO_SOON: last is not None and now < last + LEAST_PAUSE,
        Why.NOT_ARMED: not reload.is_armed and last is not None and now < last + REARMED_AFTER,
        Why.TOO_MANY: facts.attempts >= MOST_IN_WINDOW,
        Why.CAP_REACHED: reload.monthly_cap is not None
        and facts.spent + price > reload.monthly_cap,
    }
    return next((why for why, holds in found.items() if holds), None)


def sentence(reload: AutoReload, customer: Customer | None, terms: CustomTerms) -> str:
    """Say in one sentence what is agreed to; the same words are shown, sent and kept."""
    card = card_name(customer) if customer else "the saved card"
    below = f"When the balance falls below {grouped(reload.threshold)} credits, we charge"
    if reload.mode == AutoReload.Mode.UP_TO:
        most = format_money(terms.amount_of(size_of(reload, 0, terms)), terms.currency)
        what = f"what is missing up to {grouped(reload.amount)} credits (at most {most}) to {card}"
    else:
        price = format_money(terms.amount_of(max(reload.amount, terms.minimum)), terms.currency)
        each = max(reload.amount, terms.minimum)
        what = f"{price} for each {grouped(each)} credits that are missing to {card}"
    cap = reload.monthly_cap
    limit = f", at most {format_money(cap, reload.currency)} a month" if cap else ""
    each_month = limit or ", with no limit for a month"
    rate = format_money(terms.amount_of(1000), terms.currency)
    return f"{below} {what}{each_month}. 1,000 credits cost {rate}."


def card_name(customer: Customer) -> str:
    """Return a card as it is written: Visa •••• 4242."""
    brand = customer.card_brand.replace("_", " ").title() or "your payment method"
    return f"{brand} •••• {customer.card_last4}" if customer.card_last4 else brand


def next_month_begins(organization: Organization) -> datetime:
    """Return when the organization's present month is over, in its own time zone."""
    begins = month_begins(organization, timezone.now()).astimezone(ZoneInfo(organization.time_zone))
    return (begins.replace(day=28) + timedelta(days=5)).replace(day=1)

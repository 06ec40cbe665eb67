"""What a customer has to be told about on whichever page he is; the same few queries always."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, Sum

from apps.billing.models import AutoReload, Customer, OrganizationSubscription, Payment
from apps.billing.selectors.subscriptions import present_of
from apps.core.clock import database_now
from apps.credits.selectors import main_wallet, open_lots
from apps.tenants.models import Organization

MOST_PAYMENTS = 20  # that wait for the customer; the newest are looked at


@dataclass(frozen=True)
class Credits:
    """What the main wallet has, as far as somebody is warned of it."""

    available: int
    granted: int  # by the lots that still have some
    expiring: int  # at the next date
    expires_at: datetime | None
    may_owe: bool  # a credit line goes on where credits end


@dataclass(frozen=True)
class Alerts:
    """What may be worth a banner."""

    now: datetime
    subscription: OrganizationSubscription | None
    failed: Payment | None  # of an invoice that can still be paid
    waiting: Payment | None  # the bank wants to see the customer
    reload: AutoReload | None
    has_card: bool  # that the reload could charge
    credits: Credits


def alerts_of(organization: Organization) -> Alerts:
    """Return how things stand."""
    payments = Payment.objects.filter(
        Q(status=Payment.Status.FAILED, purpose=Payment.Purpose.INVOICE)
        | Q(status=Payment.Status.ACTION_REQUIRED),
        organization=organization,
    ).exclude(pay_url="")
    unpaid = list(payments.order_by("-created_at", "-id")[:MOST_PAYMENTS])
    cards = Customer.objects.filter(organization=OuterRef("organization")).exclude(stripe_id=None)
    reload = (
        AutoReload.objects.filter(organization=organization)
        .annotate(has_card=Exists(cards.exclude(payment_method_id="")))
        .first()
    )
    by_status = {one.status: one for one in reversed(unpaid)}
    return Alerts(
        now=database_now(),
        subscription=present_of(organization),
        failed=by_status.get(Payment.Status.FAILED),
        waiting=by_status.get(Payment.Status.ACTION_REQUIRED),
        reload=reload,
        has_card=reload is not None and reload.has_card,
        credits=_credits_of(organization),
    )


def _credits_of(organization: Organization) -> Credits:
    wallet = main_wallet(organization)
    lots = (
        open_lots(wallet)
        .values_list("expires_at")
        .annotate(Sum("remaining"), Sum("granted"))
        .order_by(F("expires_at").asc(nulls_last=True))
    )
    rows: list[tuple[datetime | None, int, int]] = list(lots)
    expires_at, expiring, _ = rows[0] if rows else (None, 0, 0)
    return Credits(
        available=sum(left for _, left, _ in rows),
        granted=sum(whole for *_, whole in rows),
        expiring=expiring if expires_at else 0,
        expires_at=expires_at,
        may_owe=wallet.credit_line > 0,
    )

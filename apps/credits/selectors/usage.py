"""What was used, and of what."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.credits.errors import UnknownCreditEvent
from apps.credits.models import CreditEvent, CreditTransaction, Wallet
from apps.credits.selectors.prices import price_of
from apps.credits.selectors.transactions import transactions_of


@dataclass(frozen=True)
class DayOfUsage:
    """Credits used on one day."""

    day: date
    credits: int


def usage_by_day(wallet: Wallet, *, days: int, actor: str | None = None) -> list[DayOfUsage]:
    """
    Return the credits used on each of the last days, refunds taken off, in the viewer's zone.

    With `actor`, only what he caused.
    """
    today = timezone.localdate()
    first = today - timedelta(days=days - 1)
    since = timezone.make_aware(datetime.combine(first, time.min))
    rows = (
        transactions_of(wallet, actor=actor)
        .filter(
            organization_id=wallet.organization_id,
            created_at__gte=since,
            transaction_type__in=["consumed", "refunded"],
        )
        .annotate(day=TruncDate("created_at"))
        .values("day")
        .annotate(credits=-Sum("amount"))
        .order_by("day")
    )
    used = {row["day"]: row["credits"] for row in rows}
    each_day = [first + timedelta(days=number) for number in range(days)]
    return [DayOfUsage(day, max(0, used.get(day, 0))) for day in each_day]


def most_used_event(wallet: Wallet) -> CreditEvent | None:
    """Return the event that the wallet paid for most often lately, at its present price."""
    lately = CreditTransaction.objects.filter(
        wallet=wallet, transaction_type="consumed", credit_event__isnull=False
    ).order_by("-sequence")[:200]
    names = Counter(
        entry.credit_event.name
        for entry in lately.select_related("credit_event")
        if entry.credit_event
    )
    if not names:
        return None
    try:
        return price_of(names.most_common(1)[0][0])
    except UnknownCreditEvent:  # it was sold until lately
        return None

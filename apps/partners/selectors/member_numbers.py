"""What each member was awarded, has used and has left: in one statement, however many are shown."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, F, Min, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, TruncDate

from apps.core import paging
from apps.core.clock import database_now
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors.filters import USED
from apps.partners.models import Partner, PartnerMember
from apps.partners.selectors.dashboard import SOON
from apps.partners.selectors.moved import CORRECTED, GRANTED, LAPSED, RECEIVED, SENT, USE

CHUNK = 2000  # rows in memory at once
NEVER = date(1970, 1, 1)  # in the order by last use: after everybody who used something
SORTS = {
    "newest": "created_at",
    "awarded": "awarded",
    "used": "used",
    "left": "left",
    "last_used": "last_used_key",
}
COLUMNS = [
    "member",
    "email",
    "first_name",
    "last_name",
    "group",
    "cost_centre",
    "status",
    "awarded",
    "used",
    "returned",
    "lapsed",
    "corrected",
    "left",
    "expiring_within_30_days",
    "next_expiry_on",
    "last_used_on",
]


def member_numbers(partner: Partner, members: QuerySet[PartnerMember]) -> QuerySet[PartnerMember]:
    """
    Return members with their numbers: awarded - used - returned - lapsed + corrected = left.

    Beside these each has `expiring` (credits that end soon), `next_expires_at`, and
    `last_used_on`: to the day, because the terms may allow the partner to know no more.
    """
    now = database_now()
    lots = Lot.objects.filter(
        wallet=OuterRef("wallet"), has_credits=True, remaining__gt=0, expires_at__gt=now
    ).order_by()
    by_wallet = lots.values("wallet")
    charges = CreditTransaction.objects.filter(
        wallet=OuterRef("wallet"), transaction_type__in=USED
    ).order_by("-sequence")
    zone = ZoneInfo(partner.organization.time_zone)
    soon = by_wallet.filter(expires_at__lte=now + SOON).annotate(sum=Sum("remaining"))
    last_used = TruncDate(Subquery(charges.values("created_at")[:1]), tzinfo=zone)
    return members.annotate(
        awarded=_total(RECEIVED),
        used=-_total(USE),
        returned=-_total(SENT),
        lapsed=-_total(LAPSED),
        corrected=_total((*CORRECTED, *GRANTED)),
        left=F("wallet__balance"),
        expiring=_number(Subquery(soon.values("sum"))),
        next_expires_at=Subquery(by_wallet.annotate(at=Min("expires_at")).values("at")),
        last_used_on=last_used,
        last_used_key=Coalesce(last_used, Value(NEVER)),
    )


def _total(types: tuple[str, ...]) -> Cast:
    rows = CreditTransaction.objects.filter(wallet=OuterRef("wallet"), transaction_type__in=types)
    sums = rows.order_by().values("wallet").annotate(sum=Sum("amount"))
    return _number(Subquery(sums.values("sum")))


def _number(sums: Subquery) -> Cast:
    return Cast(Coalesce(sums, 0), BigIntegerField())


def number_rows(members: QuerySet[PartnerMember], zone: str) -> Iterator[tuple[object, ...]]:
    """Yield a row for each of `member_numbers`, newest first, in the order of COLUMNS."""
    place = ZoneInfo(zone)
    ordered = members.order_by("-created_at", "-id")
    chunk = list(ordered[:CHUNK])
    while chunk:
        for one in chunk:
            yield _row(one, place)
        chunk = list(paging.after(ordered, chunk[-1])[:CHUNK]) if len(chunk) == CHUNK else []


def _row(one: PartnerMember, zone: ZoneInfo) -> tuple[object, ...]:
    numbers = vars(one)  # what was annotated
    ends = numbers["next_expires_at"]
    return (
        one.public_id,
        one.email,
        one.first_name,
        one.last_name,
        one.group.name if one.group else "",
        one.group.cost_centre if one.group else "",
        one.status,
        *(numbers[name] for name in ("awarded", "used", "returned", "lapsed", "corrected")),
        numbers["left"],
        numbers["expiring"],
        ends.astimezone(zone).date().isoformat() if ends else "",
        numbers["last_used_on"].isoformat() if numbers["last_used_on"] else "",
    )

"""Read wallets, lots, transactions and prices. Nothing here writes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.core.clock import now_in_query
from apps.core.errors import NotFound
from apps.credits.errors import UnknownCreditEvent
from apps.credits.ledger.state import burn_order
from apps.credits.models import Correction, CreditEvent, CreditTransaction, Lot, Wallet
from apps.tenants.models import AdminConfig, Organization


@dataclass(frozen=True)
class Balance:
    """What a wallet holds, in credits, at one moment."""

    available: int
    held: int
    expiring_amount: int = 0
    expiring_at: datetime | None = None


@dataclass(frozen=True)
class Operation:
    """Movements with one cause, shown as one line with parts."""

    parts: tuple[CreditTransaction, ...]

    @property
    def last(self) -> CreditTransaction:
        """The part that was written last: its id and balance stand for the operation."""
        return self.parts[-1]

    @property
    def amount(self) -> int:
        """Credits that it moved into the wallet (negative: out of it)."""
        return sum(part.amount for part in self.parts)


@dataclass(frozen=True)
class DayOfUsage:
    """Credits used on one day."""

    day: date
    credits: int


def main_wallet(organization: Organization) -> Wallet:
    """
    Return the wallet that the organization has from birth.

    :raises NotFound: if it has none yet.
    """
    wallet = Wallet.objects.filter(organization=organization, kind=Wallet.Kind.ORGANIZATION).first()
    if wallet is None:
        raise NotFound
    return wallet


def open_lots(wallet: Wallet) -> QuerySet[Lot]:
    """Return the lots from which credits can be drawn now."""
    return Lot.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now_in_query()),
        wallet=wallet,
        has_credits=True,
        remaining__gt=0,
        frozen_at=None,
        effective_at__lte=now_in_query(),
    )


def lots_in_burn_order(wallet: Wallet) -> list[Lot]:
    """Return the open lots in the order in which they are spent."""
    return sorted(open_lots(wallet), key=burn_order)


def balance_of(wallet: Wallet) -> Balance:
    """Return what can be spent now, what is held, and what expires first."""
    by_expiry = list(
        open_lots(wallet)
        .values("expires_at")
        .annotate(amount=Sum("remaining"))
        .order_by(F("expires_at").asc(nulls_last=True))
    )
    held = Wallet.objects.values_list("held", flat=True).get(pk=wallet.pk)
    available = sum(row["amount"] for row in by_expiry)
    if not by_expiry or by_expiry[0]["expires_at"] is None:
        return Balance(available=available, held=held)
    first = by_expiry[0]
    return Balance(available, held, first["amount"], first["expires_at"])


def price_of(name: str) -> CreditEvent:
    """
    Return the version of the price list's event that is valid now.

    :raises UnknownCreditEvent: if there is none, or it is not active.
    """
    begun = CreditEvent.objects.filter(name=name, effective_at__lte=now_in_query())
    latest = begun.order_by("effective_at").last()
    if latest is None or not latest.is_active:
        raise UnknownCreditEvent(name=name)
    return latest


def price_charged(wallet: Wallet, *, reference: str, name: str) -> CreditEvent | None:
    """Return the version of the event with which this cause was charged before, if it was."""
    return CreditEvent.objects.filter(
        Exists(
            CreditTransaction.objects.filter(
                wallet=wallet,
                reference=reference,
                transaction_type__in=["consumed", "held"],
                credit_event=OuterRef("pk"),
            )
        ),
        name=name,
    ).first()


def price_list() -> list[CreditEvent]:
    """Return the events that can be charged now, each with its present price."""
    versions = (
        CreditEvent.objects.filter(effective_at__lte=now_in_query())
        .order_by("name", "-effective_at")
        .distinct("name")
    )
    return [version for version in versions if version.is_active]


def transactions_of(wallet: Wallet, *, actor: str | None = None) -> QuerySet[CreditTransaction]:
    """Return the movements of the wallet, or what the actor caused and got back of it."""
    movements = CreditTransaction.objects.filter(wallet=wallet)
    if actor is None:
        return movements
    return movements.filter(Q(actor=actor) | Q(reverses__actor=actor))


def heads_of_operations(wallet: Wallet, *, actor: str | None = None) -> QuerySet[CreditTransaction]:
    """Return the last part of each operation of the wallet (or of those that the actor caused)."""
    later_part = CreditTransaction.objects.filter(
        wallet=OuterRef("wallet"),
        reference=OuterRef("reference"),
        transaction_type=OuterRef("transaction_type"),
        sequence__gt=OuterRef("sequence"),
    )
    return transactions_of(wallet, actor=actor).filter(~Exists(later_part))


def operations(heads: Iterable[CreditTransaction]) -> list[Operation]:
    """Return the operations whose last parts are given, in the same order, with one query."""
    heads = list(heads)
    if not heads:
        return []
    found: dict[tuple[str, str], list[CreditTransaction]] = {}
    parts = CreditTransaction.objects.filter(
        wallet=heads[0].wallet_id, reference__in={head.reference for head in heads}
    )
    for part in parts.select_related("lot", "credit_event").order_by("sequence"):
        found.setdefault((part.reference, part.transaction_type), []).append(part)
    return [Operation(tuple(found[head.reference, head.transaction_type])) for head in heads]


def recent_operations(wallet: Wallet, *, limit: int, actor: str | None = None) -> list[Operation]:
    """Return the last operations of the wallet (or the actor's), newest first."""
    heads = heads_of_operations(wallet, actor=actor)
    return operations(heads.order_by("-sequence")[:limit])


def credits_in_live_lots(wallet: Wallet) -> int:
    """Return what was granted in those lots that can still be spent from."""
    return open_lots(wallet).aggregate(total=Sum("granted"))["total"] or 0


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


def operation_of(
    wallet: Wallet, transaction_id: UUID | None, *, actor: str | None = None
) -> Operation:
    """
    Return the operation to which a transaction of the wallet (or of the actor) belongs.

    :raises NotFound: if the wallet has no such transaction.
    """
    if transaction_id is None:
        raise NotFound
    found = transactions_of(wallet, actor=actor).filter(id=transaction_id).first()
    if found is None:
        raise NotFound
    return operations([found])[0]


def transaction_ids(wallet: Wallet, references: Iterable[str]) -> dict[str, str]:
    """Return the public id under which each of these causes is found, where it is."""
    found = CreditTransaction.objects.filter(wallet=wallet, reference__in=list(references))
    return {entry.reference: entry.public_id for entry in found.order_by("sequence")}


CORRECTION_LIMIT = "credits.correction_limit"  # the AdminConfig key
DEFAULT_CORRECTION_LIMIT = 10_000  # credits


def correction_limit() -> int:
    """Return the most credits that one member of staff may correct alone."""
    value = AdminConfig.objects.filter(key=CORRECTION_LIMIT).values_list("value", flat=True).first()
    if not isinstance(value, int) or isinstance(value, bool):
        return DEFAULT_CORRECTION_LIMIT
    return max(0, value)


def corrections() -> QuerySet[Correction]:
    """Return the corrections of all organizations, newest first."""
    related = ("organization", "wallet__organization", "requested_by", "decided_by")
    return Correction.objects.select_related(*related).order_by("-created_at", "-id")

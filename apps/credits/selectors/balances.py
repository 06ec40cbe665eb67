"""Wallets, and what they hold: now, and at any other moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from apps.core.errors import NotFound
from apps.credits.models import CreditTransaction, Hold, Lot, Wallet
from apps.credits.selectors.lots import DEBT, Standing, Status, in_burn_order, open_lots
from apps.tenants.models import Organization


@dataclass(frozen=True)
class Balance:
    """What a wallet holds, in credits, at one moment."""

    available: int
    held: int
    expiring_amount: int = 0
    expiring_at: datetime | None = None
    debt: int = 0  # owed, as a positive number


def main_wallet(organization: Organization) -> Wallet:
    """
    Return the wallet that the organization has from birth.

    :raises NotFound: if it has none yet.
    """
    wallet = Wallet.objects.filter(organization=organization, kind=Wallet.Kind.ORGANIZATION).first()
    if wallet is None:
        raise NotFound
    return wallet


def wallets_of(organization: Organization) -> QuerySet[Wallet]:
    """
    Return the wallets that are the organization's own, newest first.

    Those of a programme's members are left out: partners show them, as far as their terms go,
    and move credits between them and the pool.
    """
    wallets = Wallet.objects.filter(organization=organization, kind=Wallet.Kind.ORGANIZATION)
    return wallets.order_by("-created_at", "-id")


def balance_of(wallet: Wallet) -> Balance:
    """Return what can be spent now, what is held and owed, and what expires first."""
    by_expiry = list(
        open_lots(wallet)
        .values("expires_at")
        .annotate(amount=Sum("remaining"))
        .order_by(F("expires_at").asc(nulls_last=True))
    )
    owed = (
        Lot.objects.filter(wallet=OuterRef("pk"), has_credits=True, kind=DEBT)
        .values("wallet")
        .annotate(total=-Sum("remaining"))
        .values("total")
    )
    held, debt = Wallet.objects.values_list("held", Coalesce(Subquery(owed), 0)).get(pk=wallet.pk)
    return _balance(((row["expires_at"], row["amount"]) for row in by_expiry), held, debt)


def balance_at(wallet: Wallet, moment: datetime) -> Balance:
    """
    Return the balance as it was at a moment, from the transactions up to it.

    At a moment that is still to come: as it will be if nothing moves but what begins
    and ends by its date.
    """
    up_to = last_sequence(wallet, moment)
    return balance_from(lots_at(wallet, moment, up_to=up_to), held=held_after(wallet, up_to))


def balance_from(standings: Sequence[Standing], *, held: int) -> Balance:
    """Return what lots make together, as they stand."""
    opened = sorted(
        ((one.lot.expires_at, one.remaining) for one in standings if one.status == Status.OPEN),
        key=lambda pair: (pair[0] is None, pair[0]),
    )
    debt = -sum(one.remaining for one in standings if one.status == Status.DEBT)
    return _balance(opened, held, debt)


def lots_at(wallet: Wallet, moment: datetime, *, up_to: int | None = None) -> list[Standing]:
    """
    Return every lot that existed at a moment as it stood then, the open ones in burn order.

    `up_to` is the number of the last transaction that counts, for callers who know it.
    """
    sequence = last_sequence(wallet, moment) if up_to is None else up_to
    last_movement = CreditTransaction.objects.filter(
        lot=OuterRef("pk"), sequence__lte=sequence
    ).order_by("-sequence")
    lots = Lot.objects.filter(wallet=wallet).annotate(
        then=Subquery(last_movement.values("lot_balance_after")[:1])
    )
    return in_burn_order(((lot, lot.then) for lot in lots if lot.then is not None), at=moment)


def last_sequence(wallet: Wallet, moment: datetime) -> int:
    """Return the number of the wallet's last transaction at a moment, 0 before the first."""
    numbers = CreditTransaction.objects.filter(
        organization_id=wallet.organization_id, wallet=wallet, created_at__lte=moment
    )
    # By time first: that is how the organization's index is sorted, so one row is read.
    return (
        numbers.order_by("-created_at", "-sequence").values_list("sequence", flat=True).first() or 0
    )


def held_after(wallet: Wallet, sequence: int) -> int:
    """
    Return the credits that holds had set aside after a transaction of the wallet.

    A hold that was captured to the last credit has left no movement when it ended, so of the
    time before its capture it is told as spent already.
    """
    holds = Hold.objects.filter(wallet=wallet)
    placed = CreditTransaction.objects.filter(
        wallet=wallet,
        reference=OuterRef("reference"),
        transaction_type="held",
        sequence__lte=sequence,
    )
    given_back_since = CreditTransaction.objects.filter(
        wallet=wallet,
        transaction_type="released",
        sequence__gt=sequence,
        reverses__sequence__lte=sequence,
    )
    still_open = holds.filter(Exists(placed), status=Hold.Status.HELD)
    ended_since = holds.exclude(status=Hold.Status.HELD).filter(
        reference__in=given_back_since.values("reference")
    )
    return sum(
        found.aggregate(total=Sum("amount"))["total"] or 0 for found in (still_open, ended_since)
    )


def _balance(by_expiry: Iterable[tuple[datetime | None, int]], held: int, debt: int) -> Balance:
    """Add up what is open, given by expiry with the soonest first."""
    by_expiry = list(by_expiry)
    available = sum(amount for _, amount in by_expiry)
    first = by_expiry[0][0] if by_expiry else None
    if first is None:
        return Balance(available, held, debt=debt)
    expiring = sum(amount for expires_at, amount in by_expiry if expires_at == first)
    return Balance(available, held, expiring, first, debt)

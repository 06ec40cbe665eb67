"""The lots of a wallet."""

from django.db.models import Q, QuerySet, Sum

from apps.core.clock import now_in_query
from apps.credits.ledger.state import burn_order
from apps.credits.models import Lot, Wallet


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


def credits_in_live_lots(wallet: Wallet) -> int:
    """Return what was granted in those lots that can still be spent from."""
    return open_lots(wallet).aggregate(total=Sum("granted"))["total"] or 0

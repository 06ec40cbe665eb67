"""Read holds."""

from django.db.models import QuerySet

from apps.credits.errors import InvalidTerms
from apps.credits.models import Hold, Wallet


def holds_of(wallet: Wallet) -> QuerySet[Hold]:
    """Return the wallet's holds, newest first."""
    holds = Hold.objects.filter(wallet=wallet, organization_id=wallet.organization_id)
    return holds.select_related("credit_event").order_by("-created_at", "-id")


def cost_at_hold(hold: Hold, quantity: int) -> int:
    """
    Return what so many units of the hold's event cost, at the price of when it was placed.

    :raises InvalidTerms: if it was placed for an amount, and not for an event.
    """
    if hold.credit_event is None:
        raise InvalidTerms(field="quantity", must="be left out: the hold is for an amount")
    return hold.credit_event.credit_cost * quantity

"""What an organization leaves behind when it closes."""

from dataclasses import dataclass

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from apps.core.clock import now_in_query
from apps.credits.models import Hold, Lot, Wallet
from apps.tenants.models import Organization


@dataclass(frozen=True)
class Leftover:
    """What is in all wallets of an organization, in credits."""

    wallets: int
    credits: int  # left in lots; nobody can spend them while it is closed
    held: int
    debt: int  # owed, as a positive number


def leftover_of(organization: Organization) -> Leftover:
    """Return what closing the organization would leave in its wallets. Two queries."""
    sums = Wallet.objects.filter(organization=organization).aggregate(
        wallets=Count("pk"),
        balance=Coalesce(Sum("balance"), 0),
        held=Coalesce(Sum("held"), 0),
    )
    owed = Lot.objects.filter(
        organization_id=organization.pk, kind=Lot.Kind.DEBT, remaining__lt=0
    ).aggregate(total=Coalesce(Sum("remaining"), 0))
    debt = -int(owed["total"])
    return Leftover(
        wallets=sums["wallets"],
        credits=int(sums["balance"]) + debt,
        held=int(sums["held"]),
        debt=debt,
    )


def held_for_longer(organization: Organization) -> int:
    """Return the credits held now, without the holds that are over and wait to be released."""
    still_open = Hold.objects.filter(
        wallet__organization=organization, status=Hold.Status.HELD, expires_at__gt=now_in_query()
    )
    held: int = still_open.aggregate(total=Coalesce(Sum("amount"), 0))["total"]
    return held

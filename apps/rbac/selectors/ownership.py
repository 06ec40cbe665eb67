"""Read who owns an organization, and to whom it is offered."""

from django.db.models import Exists, OuterRef, QuerySet

from apps.core.clock import now_in_query
from apps.rbac.models import (
    OwnershipTransfer,
    UserRole,
)
from apps.rbac.selectors.organizations import organizations_of
from apps.rbac.selectors.roles import IS_OWNER
from apps.tenants.models import Organization, User


def owners_of(organization: Organization) -> QuerySet[User]:
    """Return the active people who own the organization, by address."""
    owning = UserRole.objects.filter(user=OuterRef("pk"), organization=organization, **IS_OWNER)
    return User.objects.filter(Exists(owning), is_active=True).order_by("email")


def transfers_of(organization: Organization) -> QuerySet[OwnershipTransfer]:
    """Return the offers to hand the organization over, newest first."""
    transfers = OwnershipTransfer.objects.filter(organization=organization)
    return transfers.select_related("from_user", "to_user").order_by("-created_at", "-id")


def offers_to(user: User) -> QuerySet[OwnershipTransfer]:
    """Return the organizations that are offered to the person now, soonest to end first."""
    pending = OwnershipTransfer.Status.PENDING
    offers = OwnershipTransfer.objects.across_organizations("offers to the person").filter(
        to_user=user,
        status=pending,
        expires_at__gt=now_in_query(),
        organization__in=organizations_of(user).order_by().values("pk"),
    )
    return offers.select_related("organization", "from_user").order_by("expires_at", "id")


def open_transfer_of(organization: Organization) -> OwnershipTransfer | None:
    """Return the offer that waits for an answer now."""
    pending = OwnershipTransfer.Status.PENDING
    open_now = transfers_of(organization).filter(status=pending, expires_at__gt=now_in_query())
    return open_now.first()

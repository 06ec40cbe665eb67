"""How many members an organization may have."""

from django.db import transaction

from apps.rbac.errors import MemberLimitReached
from apps.rbac.models import UserRole
from apps.rbac.selectors import members_of
from apps.tenants.models import Organization, User
from apps.tenants.services.organizations import lock_organization


@transaction.atomic
def take_seat(*, organization: Organization, user: User) -> None:
    """
    Check that there is room for this person; one who belongs already needs none.

    Locks the organization until the transaction ends, so that of two who join at once the
    second counts the first.

    :raises MemberLimitReached: if there is none.
    """
    locked = lock_organization(organization)
    if UserRole.objects.filter(organization=locked, user=user).exists():
        return
    members = members_of(locked).count()
    if locked.max_users is not None and members >= locked.max_users:
        raise MemberLimitReached(limit=locked.max_users, members=members)

"""Create one more organization for a person who has an account already."""

from django.db import transaction

from apps.rbac.models import UserRole
from apps.rbac.selectors import IS_OWNER
from apps.tenants.errors import OrganizationLimitReached
from apps.tenants.models import Organization, User
from apps.tenants.services.organizations import create_organization

MOST_OWNED = 20  # organizations of one person, closed ones too


@transaction.atomic
def found_organization(*, user: User, name: str, slug: str = "") -> Organization:
    """
    Create an organization that the person owns, without a trial: that comes with sign-up.

    :raises OrganizationLimitReached: if he owns too many already.
    :raises SlugTaken: if the slug that was asked for belongs or belonged to another.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # of two at once, one counts first
    roles = UserRole.objects.across_organizations("those of the person")
    if roles.filter(user=user, **IS_OWNER).count() >= MOST_OWNED:
        raise OrganizationLimitReached(limit=MOST_OWNED)
    return create_organization(name=name, owner=user, slug=slug or None, with_trial=False)

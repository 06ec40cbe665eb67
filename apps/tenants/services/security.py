"""How an organization protects itself."""

from django.db import transaction

from apps.tenants import selectors
from apps.tenants.errors import OwnSecondFactorMissing
from apps.tenants.models import Organization, User
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization


@transaction.atomic
def require_second_factor(
    *, organization: Organization, is_required: bool, user: User
) -> Organization:
    """
    Open the organization only to those who have shown a second factor, or to all members again.

    It holds from the next request on. API keys go on: they never had a password to lose.

    :raises OwnSecondFactorMissing: if the person asks of others what he does not have.
    """
    if is_required and not selectors.has_second_factor(user):
        raise OwnSecondFactorMissing
    locked = lock_organization(organization)
    if locked.requires_second_factor == is_required:
        return locked
    locked.requires_second_factor = is_required
    locked.save(update_fields=["requires_second_factor", "updated_at"])
    audit.record(
        action="organization.secure",
        organization=locked,
        object_id=locked.public_id,
        before={"requires_second_factor": not is_required},
        after={"requires_second_factor": is_required},
    )
    return locked

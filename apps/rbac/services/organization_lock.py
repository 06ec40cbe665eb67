"""The lock under which people join and leave an organization."""

from apps.core.db import inside_transaction
from apps.tenants.models import Organization


@inside_transaction
def lock_organization(organization: Organization) -> Organization:
    """
    Lock the organization's row until the transaction ends, and return it as it is now.

    Rows that only refer to the organization can be written meanwhile: the ledger goes on.
    It is always the first lock that is taken, before that of an invitation.
    """
    return Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)

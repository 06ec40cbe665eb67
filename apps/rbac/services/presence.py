"""Note when members were last there."""

from apps.core.clock import workers_now
from apps.rbac.models import LastSeen
from apps.tenants.models import Organization, User


def note_visit(*, organization: Organization, user: User) -> None:
    """Keep that the person is working in the organization now; one row for both, ever."""
    LastSeen.objects.bulk_create(
        [LastSeen(organization=organization, user=user, at=workers_now())],
        update_conflicts=True,
        unique_fields=["organization", "user"],
        update_fields=["at"],
    )

"""API keys of the demo: one that ends soon, and one with an old and a new secret."""

from datetime import datetime, timedelta

from apps.core import context
from apps.rbac.services.keys import create_key
from apps.rbac.services.rotation import rotate_key
from apps.tenants.models import Organization, User


def make_keys(now: datetime, organization: Organization, developer: User) -> None:
    """Make both; nobody is told their secrets."""
    with context.acting(actor=f"user:{developer.public_id}"):
        create_key(
            organization=organization,
            created_by=developer,
            name="Nightly report",
            scopes=["credits:read", "jobs:read"],
            expires_at=now + timedelta(days=5),
        )
        website, _ = create_key(
            organization=organization,
            created_by=developer,
            name="Website",
            scopes=["jobs:read", "jobs:write"],
            expires_at=now + timedelta(days=90),
        )
        rotate_key(key=website, user=developer, old_until=now + timedelta(days=2))

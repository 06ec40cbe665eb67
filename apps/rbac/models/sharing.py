"""What an organization shows to people outside."""

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.core.models import Row
from apps.core.walls import MINE, Wall
from apps.tenants.models import Organization

# For the wall of a table whose rows can be shared: the ids of those shared with me now.
SHARED_WITH_ME = (
    f"(SELECT object_id FROM rbac_share WHERE user_id = {MINE} AND revoked_at IS NULL"  # noqa: S608
    " AND (expires_at IS NULL OR expires_at > now()))"
)


class Share(Row):
    """
    One object that an organization shows to one person outside, until it is taken back.

    django-guardian keeps the permission itself; this row tells whose it is, since when and
    until when, and outlives it.
    """

    PREFIX = "shr"
    WALL = Wall(also_read=f"user_id = {MINE}")

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.UUIDField()
    shared = GenericForeignKey("content_type", "object_id")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    shared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "content_type", "object_id"],
                condition=Q(revoked_at=None),
                name="rbac_object_shared_once_with_a_person",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="rbac_shares_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.shared} with {self.user}"

    @property
    def is_active(self) -> bool:
        """Whether it is neither taken back nor over. Reading asks the database's clock."""
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not is_over

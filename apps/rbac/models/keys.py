"""API keys."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apps.core.models import Mailed
from apps.tenants.models import Organization

EXPIRING = timedelta(days=7)  # so long before its end a key says so


class ApiKey(Mailed):
    """
    A program's way in, bound to one organization. Only its SHA-256 is kept.

    It can do what its scopes say, and never more than the person who made it. Its mails are
    those that warn of its end.
    """

    PREFIX = "key"

    class Status(models.TextChoices):
        """How a key stands; told by its columns and its maker, and kept nowhere."""

        ACTIVE = "active"
        EXPIRING = "expiring"
        EXPIRED = "expired"
        REVOKED = "revoked"
        STOPPED = "stopped"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    is_live = models.BooleanField(default=False)
    hint = models.CharField(max_length=32)  # how it begins and ends: cof_test_8fK2…x9Qa
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=50))
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_ip = models.GenericIPAddressField(null=True, blank=True)
    last_used_agent = models.CharField(max_length=40, blank=True)  # coarse: curl, Firefox

    # The secret before the last rotation, for as long as it still works
    rotated_at = models.DateTimeField(null=True, blank=True)
    previous_digest = models.BinaryField(max_length=32, null=True, unique=True)
    previous_hint = models.CharField(max_length=32, blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    previous_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(fields=["organization", "-created_at"], name="rbac_keys_of_organization"),
        ]
        constraints = [
            models.CheckConstraint(
                name="rbac_old_secret_has_an_end",
                condition=Q(previous_digest=None) | Q(previous_until__isnull=False),
            ),
            models.CheckConstraint(
                name="rbac_old_secret_ends_with_its_key",
                condition=Q(previous_until=None)
                | Q(expires_at=None)
                | Q(previous_until__lte=F("expires_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint})"

    @property
    def is_active(self) -> bool:
        """Whether it is neither revoked nor expired. Sign-in asks the database's clock."""
        is_expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not is_expired

    @property
    def status(self) -> Status:
        """How it stands; stopped is one whose maker has left or is not active."""
        now = timezone.now()
        if self.revoked_at is not None:
            return self.Status.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return self.Status.EXPIRED
        if not (self.created_by.is_active and getattr(self, "is_maker_here", True)):
            return self.Status.STOPPED
        if self.expires_at is not None and self.expires_at <= now + EXPIRING:
            return self.Status.EXPIRING
        return self.Status.ACTIVE

    @property
    def has_old_secret(self) -> bool:
        """Whether the secret before the last rotation still works."""
        until = self.previous_until
        return self.previous_digest is not None and until is not None and until > timezone.now()

    @property
    def last_use(self) -> datetime | None:
        """When either of its secrets was used last."""
        return max(filter(None, (self.last_used_at, self.previous_used_at)), default=None)

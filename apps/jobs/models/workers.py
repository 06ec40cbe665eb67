"""Workers outside: their keys, and what each of them took."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.core.models import Row
from apps.core.walls import Wall
from apps.jobs.models.areas import GenerationArea
from apps.tenants.models import Organization


class WorkerKey(Row):
    """
    A worker's way in. It belongs to whoever runs the instance, and to no organization.

    It claims areas of its operations, of every organization, and does nothing else. Only the
    SHA-256 of its secret is kept. The role of the web has no right to this table at all: it
    is asked over the connection of staff.
    """

    PREFIX = "wkey"
    WALL = Wall(whose="", web="", staff="SELECT, INSERT, UPDATE")

    name = models.CharField(max_length=100)
    operations = ArrayField(models.CharField(max_length=100))  # codes of what it may claim
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    hint = models.CharField(max_length=32)  # how it begins and ends: cof_work_8fK2…x9Qa
    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)  # at most once a minute

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="jobs_worker_key_is_for_something", condition=Q(operations__len__gte=1)
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint})"

    @property
    def status(self) -> str:
        """How it stands. Signing in asks the database's clock."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        return "active"


class WorkerClaim(Row):
    """
    An area that a worker outside took. Its id is the area's claim.

    `digest` is of the key and of the id together: both must be shown to find it, and they
    open the organization whose area it is (`coffer_organization_of_worker_claim`). How it
    ended is kept so that a repeated call gets the same answer; of what was completed the
    area itself says so.
    """

    PREFIX = "clm"

    class Outcome(models.TextChoices):
        """What its worker did with it."""

        FAILED = "failed"
        RELEASED = "released"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    area = models.ForeignKey(GenerationArea, models.PROTECT, related_name="+")
    worker_key = models.ForeignKey(WorkerKey, models.PROTECT, related_name="+")
    digest = models.BinaryField(max_length=32, unique=True)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="jobs_worker_claim_ended_has_a_time",
                condition=Q(outcome="", ended_at=None) | ~Q(outcome="") & Q(ended_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.outcome}".rstrip()

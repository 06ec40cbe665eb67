"""People who asked for their erasure."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.models import Mailed
from apps.core.walls import Wall


class Erasure(Mailed):
    """
    A person's wish that nothing here names him any more; he may undo it until it is due.

    Its row stays, with nothing in it but his opaque id: after a backup is restored, the rows
    that are done say whom to erase again.
    """

    PREFIX = "era"
    WALL = Wall(whose="", person="user_id", web="SELECT, INSERT, UPDATE")

    class Status(models.TextChoices):
        """How far it is."""

        PENDING = "pending"
        CANCELLED = "cancelled"
        DONE = "done"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)  # when it was due and could not be
    refusal = models.CharField(max_length=100, blank=True)  # the code of what stands against it

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(status="pending"),
                name="rbac_one_pending_erasure_per_person",
            ),
            models.CheckConstraint(
                name="rbac_erasure_ends_once",
                condition=Q(status="pending", ended_at=None)
                | Q(status__in=["cancelled", "done"], ended_at__isnull=False),
            ),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(
                fields=["due_at"], condition=Q(status="pending"), name="rbac_erasures_to_do"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.status}"

"""Files that hold all that is kept of a person."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.models import Row
from apps.core.walls import Wall


class PersonalExport(Row):
    """
    A file that a person asked for: made by a worker, for him alone, gone after seven days.

    The row is the queue: a worker claims it by `claimed_until`.
    """

    PREFIX = "pex"
    WALL = Wall(whose="", person="user_id", web="SELECT, INSERT, UPDATE")

    class Status(models.TextChoices):
        """How far it is."""

        WAITING = "waiting"
        READY = "ready"
        FAILED = "failed"
        EXPIRED = "expired"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    progress = models.PositiveSmallIntegerField(default=0)  # percent
    attempts = models.PositiveSmallIntegerField(default=0)  # claims so far
    claimed_until = models.DateTimeField(null=True, blank=True)
    file = models.FileField(max_length=200, blank=True)
    rows = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)  # bytes
    sha256 = models.BinaryField(max_length=32, null=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    downloads = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(status="waiting"),
                name="rbac_one_waiting_export_per_person",
            ),
            models.CheckConstraint(
                name="rbac_ready_export_has_a_file",
                condition=~Q(status="ready")
                | (~Q(file="") & Q(sha256__isnull=False, expires_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="rbac_export_progress_is_percent", condition=Q(progress__lte=100)
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(status="waiting"), name="rbac_exports_to_make"
            ),
            models.Index(
                fields=["expires_at"], condition=Q(status="ready"), name="rbac_exports_to_delete"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.status}"

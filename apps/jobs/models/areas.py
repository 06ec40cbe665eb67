"""One piece of a job: a picture, how it is worked on, and what came of it."""

from typing import Any

from django.db import models
from django.db.models import Q

from apps.core.models import Row
from apps.core.walls import Wall
from apps.jobs.models.jobs import MOST_AREAS, GenerationJob, PaymentType, Status
from apps.jobs.models.uploads import BlobUpload
from apps.rbac.models import SHARED_WITH_ME
from apps.tenants.models import Organization

MOST_CLAIMS = 5  # what takes its worker down must not do so for ever


class GenerationArea(Row):
    """
    One picture of a job. The waiting areas are the queue.

    A worker holds it by `claim` until `claimed_until`, and whoever has lost his claim writes
    nothing. Price and payment are those of its present attempt.
    """

    PREFIX = "area"
    WALL = Wall(also_read=f"job_id IN {SHARED_WITH_ME}")
    Status = Status

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    job = models.ForeignKey(GenerationJob, models.PROTECT, related_name="areas")
    position = models.PositiveSmallIntegerField()  # 1, 2, … as the customer put them
    operation_type = models.CharField(max_length=100)  # the job's
    parameters = models.JSONField(default=dict)  # with the look of its style, as it was then
    upload = models.ForeignKey(BlobUpload, models.SET_NULL, related_name="+", null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    attempt_number = models.PositiveSmallIntegerField(default=1)
    price = models.BigIntegerField(default=0)  # credits; metered: the most, until it is captured
    payment_type = models.CharField(max_length=20, choices=PaymentType)
    progress = models.PositiveSmallIntegerField(default=0)  # percent
    claims = models.PositiveSmallIntegerField(default=0)  # times taken in this attempt
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=100, blank=True)  # who took it last
    result = models.FileField(max_length=200, blank=True)
    result_content_type = models.CharField(max_length=50, blank=True)
    result_width = models.PositiveIntegerField(null=True, blank=True)  # pixels
    result_height = models.PositiveIntegerField(null=True, blank=True)  # pixels
    result_expires_at = models.DateTimeField(null=True, blank=True)
    result_gone_at = models.DateTimeField(null=True, blank=True)  # its file was deleted, or lost
    error_code = models.CharField(max_length=50, blank=True)
    error_message = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)  # of this attempt
    completed_at = models.DateTimeField(null=True, blank=True)  # or failed, or cancelled
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="jobs_one_area_a_place"),
            models.CheckConstraint(
                name="jobs_area_has_a_place",
                condition=Q(position__gte=1, position__lte=MOST_AREAS),
            ),
            models.CheckConstraint(
                name="jobs_area_status_is_known", condition=Q(status__in=Status.values)
            ),
            models.CheckConstraint(
                name="jobs_area_progress_is_percent", condition=Q(progress__lte=100)
            ),
            models.CheckConstraint(
                name="jobs_area_claimed_while_processing",
                condition=Q(status="processing", claim__isnull=False, claimed_until__isnull=False)
                | (~Q(status="processing") & Q(claim=None, claimed_until=None)),
            ),
            models.CheckConstraint(
                name="jobs_area_is_taken_so_often", condition=Q(claims__lte=MOST_CLAIMS)
            ),
            models.CheckConstraint(
                name="jobs_area_ended_has_a_time",
                condition=Q(
                    status__in=["completed", "failed", "cancelled"], completed_at__isnull=False
                )
                | Q(status__in=["pending", "processing"], completed_at=None),
            ),
            models.CheckConstraint(
                name="jobs_area_completed_has_a_result", condition=~Q(status="completed", result="")
            ),
        ]
        indexes = [
            # Who waits, and what waits longest: neither reads more where more waits.
            models.Index(
                fields=["operation_type", "organization", "id"],
                condition=Q(status="pending"),
                name="jobs_waiting_areas",
            ),
            models.Index(
                fields=["organization"],
                condition=Q(status="processing"),
                name="jobs_running_areas",
            ),
            models.Index(
                fields=["claimed_until"],
                condition=Q(status="processing"),
                name="jobs_areas_by_lease",
            ),
            models.Index(
                fields=["result_expires_at"],
                condition=Q(result_expires_at__isnull=False, result_gone_at=None),
                name="jobs_results_by_expiry",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.status}"

    @property
    def asked(self) -> dict[str, Any]:
        """Its parameters as they can be asked for again: the look is in the style's version."""
        return {name: value for name, value in self.parameters.items() if name != "look"}

    @property
    def refunded(self) -> int:
        """Credits of the present attempt that came back."""
        return self.price if self.status in (Status.FAILED, Status.CANCELLED) else 0

    @property
    def is_finished(self) -> bool:
        """Whether nothing more happens to it, unless it failed and is tried again."""
        return self.status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)

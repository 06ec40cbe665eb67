"""What a customer asked for: one operation on up to twenty areas."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.core.models import Row
from apps.core.walls import Wall
from apps.credits.models import Wallet
from apps.rbac.models import SHARED_WITH_ME
from apps.tenants.models import Organization

MOST_AREAS = 20


class Status(models.TextChoices):
    """How far a job or an area of it is."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = (Status.PENDING.value, Status.PROCESSING.value)


class PaymentType(models.TextChoices):
    """What paid for it."""

    PLAN = "plan"  # the plan's unlimited operations: no credits
    TRIAL = "trial"
    CREDITS = "credits"


class GenerationJob(Row):
    """
    Work on pictures, paid for each area of it, given back for each area that fails.

    It waits until one of its areas is taken, and ends with the last of them: completed if at
    least one area is, else failed, or cancelled if all were. Counts and sums are written
    under the lock of this row, whenever one of its areas ends or is tried again.
    """

    PREFIX = "job"
    WALL = Wall(also_read=f"id IN {SHARED_WITH_ME}")
    Status = Status
    PaymentType = PaymentType

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+")
    operation_type = models.CharField(max_length=100)  # also the credit event: image.restyle
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    deadline = models.DateTimeField()  # whatever has not ended by then fails
    payment_type = models.CharField(max_length=20, choices=PaymentType)  # when it was submitted
    cost = models.BigIntegerField(default=0)  # credits, of all attempts; held ones as held
    refunded = models.BigIntegerField(default=0)  # credits of these that came back
    area_count = models.PositiveSmallIntegerField(default=1)
    completed_areas = models.PositiveSmallIntegerField(default=0)
    failed_areas = models.PositiveSmallIntegerField(default=0)
    cancelled_areas = models.PositiveSmallIntegerField(default=0)
    metadata = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)  # or failed, or cancelled
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="jobs_status_is_known", condition=Q(status__in=Status.values)
            ),
            models.CheckConstraint(
                name="jobs_ended_has_a_time",
                condition=Q(
                    status__in=["completed", "failed", "cancelled"], completed_at__isnull=False
                )
                | Q(status__in=UNFINISHED, completed_at=None),
            ),
            models.CheckConstraint(
                name="jobs_have_one_to_twenty_areas",
                condition=Q(area_count__gte=1, area_count__lte=MOST_AREAS),
            ),
            models.CheckConstraint(
                name="jobs_end_with_their_last_area",
                condition=Q(
                    status__in=UNFINISHED,
                    area_count__gt=F("completed_areas") + F("failed_areas") + F("cancelled_areas"),
                )
                | Q(
                    ~Q(status__in=UNFINISHED),
                    area_count=F("completed_areas") + F("failed_areas") + F("cancelled_areas"),
                ),
            ),
            models.CheckConstraint(
                name="jobs_end_as_their_areas_did",
                condition=Q(status__in=UNFINISHED)
                | Q(status="completed", completed_areas__gt=0)
                | Q(status="failed", completed_areas=0, failed_areas__gt=0)
                | Q(status="cancelled", cancelled_areas=F("area_count")),
            ),
            models.CheckConstraint(
                name="jobs_give_back_what_was_taken",
                condition=Q(refunded__gte=0, refunded__lte=F("cost")),
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="jobs_of_tenant"),
            models.Index(
                fields=["deadline"],
                condition=Q(status__in=UNFINISHED),
                name="jobs_unfinished_by_deadline",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation_type} {self.public_id}"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more happens to it, unless somebody tries its failed areas again."""
        return self.status not in UNFINISHED

"""Pictures that are uploaded, and the jobs that work on them."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.models import Row
from apps.core.walls import Wall
from apps.credits.models import CreditEvent, Wallet
from apps.rbac.models import SHARED_WITH_ME
from apps.tenants.models import Organization


class BlobUpload(Row):
    """A picture that someone uploaded: checked, without its metadata, kept until it is too old."""

    PREFIX = "upl"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    file = models.FileField(max_length=200)
    filename = models.CharField(max_length=200, blank=True)  # as it was called; for display alone
    content_type = models.CharField(max_length=50)
    size = models.PositiveBigIntegerField()  # bytes
    width = models.PositiveIntegerField()  # pixels
    height = models.PositiveIntegerField()  # pixels
    sha256 = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="jobs_uploads_of_tenant"),
            models.Index(fields=["expires_at"], name="jobs_uploads_by_expiry"),
        ]

    def __str__(self) -> str:
        return self.filename or self.public_id


class GenerationJob(Row):
    """
    Work on a picture, paid in credits when it is submitted, given back if it fails.

    The row is the queue: a worker claims it by `claim` and `claimed_until`, and whoever
    has lost his claim writes nothing. The database refuses any other course of `status`.
    """

    PREFIX = "job"
    WALL = Wall(also_read=f"id IN {SHARED_WITH_ME}")

    class Status(models.TextChoices):
        """How far it is."""

        PENDING = "pending"
        PROCESSING = "processing"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class PaymentType(models.TextChoices):
        """What paid for it."""

        TRIAL = "trial"
        CREDITS = "credits"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+")
    operation_type = models.CharField(max_length=100)  # also the credit event: image.restyle
    parameters = models.JSONField(default=dict)
    upload = models.ForeignKey(BlobUpload, models.SET_NULL, related_name="+", null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    cost = models.BigIntegerField()  # credits
    credit_event = models.ForeignKey(CreditEvent, models.PROTECT, related_name="+")
    payment_type = models.CharField(max_length=20, choices=PaymentType)
    charge_reference = models.CharField(max_length=200, blank=True)  # of the ledger; free: empty
    progress = models.PositiveSmallIntegerField(default=0)  # percent
    result = models.FileField(max_length=200, blank=True)
    result_content_type = models.CharField(max_length=50, blank=True)
    result_width = models.PositiveIntegerField(null=True, blank=True)  # pixels
    result_height = models.PositiveIntegerField(null=True, blank=True)  # pixels
    error_code = models.CharField(max_length=50, blank=True)
    error_message = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)  # claims so far
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)  # or failed, or cancelled
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="jobs_what_costs_is_charged",
                condition=Q(cost=0, charge_reference="") | Q(cost__gt=0) & ~Q(charge_reference=""),
            ),
            models.UniqueConstraint(
                fields=["wallet", "charge_reference"],
                condition=~Q(charge_reference=""),
                name="jobs_charge_pays_one_job",
            ),
            models.CheckConstraint(name="jobs_progress_is_percent", condition=Q(progress__lte=100)),
            models.CheckConstraint(
                name="jobs_status_is_known",
                condition=Q(
                    status__in=["pending", "processing", "completed", "failed", "cancelled"]
                ),
            ),
            models.CheckConstraint(
                name="jobs_claimed_while_processing",
                condition=Q(status="processing", claim__isnull=False, claimed_until__isnull=False)
                | (~Q(status="processing") & Q(claim=None, claimed_until=None)),
            ),
            models.CheckConstraint(
                name="jobs_ended_has_a_time",
                condition=Q(
                    status__in=["completed", "failed", "cancelled"], completed_at__isnull=False
                )
                | Q(status__in=["pending", "processing"], completed_at=None),
            ),
            models.CheckConstraint(
                name="jobs_completed_has_a_result", condition=~Q(status="completed", result="")
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="jobs_of_tenant"),
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=["pending", "processing"]),
                name="jobs_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation_type} {self.public_id}"

    @property
    def refund_reference(self) -> str:
        """The cause under which the ledger has its refund, if it failed."""
        return f"refund:{self.charge_reference}"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in {self.Status.COMPLETED, self.Status.FAILED, self.Status.CANCELLED}

"""The inbox: what Stripe told us, each event once."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.models import Row


class WebhookEvent(Row):
    """
    One event of Stripe's, delivered by webhook or found by the poller, however often.

    The row is the queue: `due_at` is when a worker may take it, `claim` and
    `claimed_until` say that one has. Events about one `subject` are handled one at a time,
    so that what a handler has asked Stripe for cannot be overtaken by older news. Its
    effect, in money and credits, and `processed_at` are written in one transaction. The
    mirror of dj-stripe is another step with a state of its own; it holds nothing up.
    """

    PREFIX = "whe"

    class Status(models.TextChoices):
        """How far its effect has come; the last three are final until somebody replays it."""

        PENDING = "pending"
        PROCESSED = "processed"
        IGNORED = "ignored"  # nothing of ours depends on it
        DEAD = "dead"  # every attempt failed: a person has to look

    class MirrorStatus(models.TextChoices):
        """How far the mirror has come."""

        PENDING = "pending"
        MIRRORED = "mirrored"
        FAILED = "failed"

    event_id = models.CharField(max_length=255)
    account = models.CharField(max_length=255, blank=True)  # of a connected account; else empty
    is_live = models.BooleanField()
    type = models.CharField(max_length=100)
    # The customer that it is about; or, where it names none, the payment or the object.
    subject = models.CharField(max_length=255)
    object_id = models.CharField(max_length=255, blank=True)
    told_at = models.DateTimeField()  # by Stripe's clock
    payload = models.JSONField()
    source = models.CharField(max_length=10, choices=[("webhook", "webhook"), ("poll", "poll")])
    deliveries = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)  # of the last attempt that failed
    processed_at = models.DateTimeField(null=True, blank=True)
    mirror_status = models.CharField(
        max_length=10, choices=MirrorStatus, default=MirrorStatus.PENDING
    )
    mirror_attempts = models.PositiveIntegerField(default=0)
    mirror_due_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    mirror_error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "is_live", "event_id"], name="billing_event_has_no_twin"
            ),
            models.UniqueConstraint(
                fields=["subject"],
                condition=Q(claim__isnull=False),
                name="billing_one_event_of_a_subject_at_a_time",
            ),
            models.CheckConstraint(
                name="billing_event_status_is_known",
                condition=Q(status__in=["pending", "processed", "ignored", "dead"]),
            ),
            models.CheckConstraint(
                name="billing_processed_event_says_when",
                condition=Q(status="processed", processed_at__isnull=False)
                | (~Q(status="processed") & Q(processed_at=None)),
            ),
            models.CheckConstraint(
                name="billing_event_claim_ends",
                condition=Q(claim=None, claimed_until=None)
                | Q(claim__isnull=False, claimed_until__isnull=False, status="pending"),
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(status="pending"), name="billing_events_to_do"
            ),
            models.Index(
                fields=["subject", "told_at"],
                condition=Q(status="pending"),
                name="billing_events_of_subject",
            ),
            models.Index(
                fields=["mirror_due_at"],
                condition=Q(mirror_status="pending"),
                name="billing_events_to_mirror",
            ),
            models.Index(fields=["-told_at", "-id"], name="billing_events_by_time"),
            models.Index(fields=["object_id"], name="billing_events_of_object"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"

"""Warnings that credits are about to expire: which were due, and which went out."""

from django.db import models
from django.db.models import Q

from apps.core import ids
from apps.core.models import Row
from apps.tenants.models import Organization


class ExpiryWarning(Row):
    """
    One warning for one lot, so many days before its end.

    The row is written before the mail and closed after it: whoever holds the claim sends.
    A warning that was never needed in the end (nothing left, or a nearer one is due) is
    dropped. Sent and dropped are final.
    """

    PREFIX = "xwn"

    class Status(models.TextChoices):
        """How far it has come."""

        CLAIMED = "claimed"
        SENT = "sent"
        DROPPED = "dropped"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    lot = models.ForeignKey("credits.Lot", models.PROTECT, related_name="+", db_index=False)
    days = models.PositiveSmallIntegerField()  # before the lot's end: 30, 7, 1
    amount = models.BigIntegerField()  # credits that were left in the lot
    status = models.CharField(max_length=10, choices=Status, default=Status.CLAIMED)
    claim = models.UUIDField(default=ids.new_id)  # all warnings of one mail share it
    locked_until = models.DateTimeField()  # after that another worker may take it over
    attempts = models.PositiveIntegerField(default=0)  # to send the mail
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot", "days"], name="credits_one_warning_per_day"),
            models.CheckConstraint(
                name="credits_warning_status_is_known",
                condition=Q(status__in=["claimed", "sent", "dropped"]),
            ),
            models.CheckConstraint(
                name="credits_sent_warning_has_a_time",
                condition=Q(status="sent", sent_at__isnull=False)
                | (~Q(status="sent") & Q(sent_at=None)),
            ),
            models.CheckConstraint(
                name="credits_warning_is_about_credits", condition=Q(amount__gt=0)
            ),
            models.CheckConstraint(name="credits_warning_comes_before", condition=Q(days__gt=0)),
        ]
        indexes = [
            models.Index(
                fields=["locked_until"],
                condition=Q(status="claimed"),
                name="credits_warnings_to_send",
            ),
            models.Index(fields=["organization", "-created_at"], name="credits_warnings_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.lot_id} {self.days} d"

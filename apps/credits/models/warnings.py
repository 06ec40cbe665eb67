"""Warnings that credits are about to expire: which were due, and which went out."""

from django.db import models
from django.db.models import Q

from apps.core.models import Mailed
from apps.tenants.models import Organization


class ExpiryWarning(Mailed):
    """
    One warning for one lot, so many days before its end.

    The row is written before the mail. A warning that was never needed in the end (nothing
    left, or a nearer one is due) is dropped. Sent and dropped are final.
    """

    PREFIX = "xwn"

    class Status(models.TextChoices):
        """How far it has come; told by its columns, and kept nowhere."""

        WAITING = "waiting"
        SENT = "sent"
        DROPPED = "dropped"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    lot = models.ForeignKey("credits.Lot", models.PROTECT, related_name="+", db_index=False)
    days = models.PositiveSmallIntegerField()  # before the lot's end: 30, 7, 1
    amount = models.BigIntegerField()  # credits that were left in the lot

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot", "days"], name="credits_one_warning_per_day"),
            models.CheckConstraint(
                name="credits_sent_warning_is_over", condition=Q(sent_at=None) | Q(mail_due_at=None)
            ),
            models.CheckConstraint(
                name="credits_warning_is_about_credits", condition=Q(amount__gt=0)
            ),
            models.CheckConstraint(name="credits_warning_comes_before", condition=Q(days__gt=0)),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(fields=["organization", "-created_at"], name="credits_warnings_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.lot_id} {self.days} d"

    @property
    def status(self) -> Status:
        """How far it has come."""
        if self.sent_at is not None:
            return self.Status.SENT
        return self.Status.DROPPED if self.mail_due_at is None else self.Status.WAITING

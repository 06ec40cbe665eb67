"""Offers to hand an organization over."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.core.models import Mailed
from apps.core.walls import MINE, Wall
from apps.tenants.models import Organization


class OwnershipTransfer(Mailed):
    """
    An owner's offer to hand the organization to another member, who accepts or declines.

    The row is the queue of its mail as well: a worker sends it once `mail_due_at` has passed.
    """

    PREFIX = "otr"
    WALL = Wall(also_read=f"to_user_id = {MINE}")

    class Status(models.TextChoices):
        """How it ended; a pending one past its time has expired, whoever writes it down."""

        PENDING = "pending"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    from_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    to_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(status="pending"),
                name="rbac_one_open_transfer_per_organization",
            ),
            models.CheckConstraint(
                name="rbac_transfer_ends_once",
                condition=Q(status="pending", ended_at=None)
                | Q(
                    status__in=["accepted", "declined", "withdrawn", "expired"],
                    ended_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="rbac_transfer_goes_to_another", condition=~Q(from_user=F("to_user"))
            ),
        ]
        indexes = Mailed.Meta.indexes

    def __str__(self) -> str:
        return f"{self.organization}: {self.from_user} to {self.to_user}"

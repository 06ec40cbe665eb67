"""When staff looked in whose place, and why."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.core.models import Mailed
from apps.tenants.models import Organization

LONGEST = timedelta(minutes=60)


class Impersonation(Mailed):
    """
    A staff person's look at one organization's pages in the place of one of its members.

    It only reads, and ends an hour after it began at the latest: the database keeps that end.
    The row is the queue of its mail as well: a worker sends it once `mail_due_at` has passed.
    """

    PREFIX = "imp"

    class Cause(models.TextChoices):
        """Why it ended."""

        STOPPED = "stopped"
        SIGNED_OUT = "signed out"
        REPLACED = "replaced by another"
        TIME = "time was up"
        ACCESS = "access changed"  # of the staff person, the member or the organization

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    staff_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.TextField()
    ticket = models.CharField(max_length=100)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_cause = models.CharField(max_length=20, choices=Cause, blank=True)
    told = ArrayField(models.UUIDField(), default=list, blank=True)  # people whose mail went out

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="rbac_impersonation_lasts_an_hour_at_most",
                condition=Q(expires_at__gt=F("started_at"))
                & Q(expires_at__lte=F("started_at") + LONGEST),
            ),
            models.CheckConstraint(
                name="rbac_impersonation_has_a_reason",
                condition=~Q(reason="") & ~Q(ticket=""),
            ),
            models.CheckConstraint(
                name="rbac_impersonation_is_of_another", condition=~Q(staff_user=F("user"))
            ),
            models.CheckConstraint(
                name="rbac_impersonation_ends_once",
                condition=Q(ended_at=None, end_cause="")
                | (Q(ended_at__isnull=False) & ~Q(end_cause="")),
            ),
            models.UniqueConstraint(
                fields=["staff_user"],
                condition=Q(ended_at=None),
                name="rbac_one_open_impersonation_per_person",
            ),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(
                fields=["organization", "-started_at"], name="rbac_impersonations_by_time"
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(ended_at=None),
                name="rbac_impersonations_to_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff_user} as {self.user}"

"""Whose turn it is."""

from django.db import models

from apps.core.rows import RowManager
from apps.tenants.models import Organization

CONCURRENCY = 4  # areas of an organization at the same time, unless its plan says otherwise


class OrganizationQueue(models.Model):
    """
    The place of an organization in the order in which work is handed out.

    Whoever takes an area locks this row first, so that no more areas of an organization run
    at the same time than it may have. Nothing is counted here: what waits and what runs are
    the areas themselves.
    """

    organization = models.OneToOneField(
        Organization, models.CASCADE, primary_key=True, related_name="+"
    )
    concurrency = models.PositiveSmallIntegerField(default=CONCURRENCY)  # as of the last claim
    last_claimed_at = models.DateTimeField(null=True, blank=True)  # the longest ago is next

    objects = RowManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="jobs_queue_lets_one_run", condition=models.Q(concurrency__gte=1)
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.concurrency}"

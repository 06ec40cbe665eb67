"""Sandboxes: organizations whose clock staff move."""

from django.db import models
from django.db.models import Q

from apps.core.models import Row
from apps.tenants.models import Organization


class Sandbox(Row):
    """
    An organization whose time stands still at `Organization.clock_at` until staff move it on.

    The row says where the clock is on its way to. It gets there in steps, so that nothing is
    skipped that time does on the way; who moved it and why is in the audit log.
    """

    PREFIX = "sbx"

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="+")
    # Made at Stripe with the organization's customer, whose time it is there.
    stripe_clock_id = models.CharField(max_length=255, null=True, blank=True, unique=True)
    moving_to = models.DateTimeField(null=True, blank=True)  # None: it stands
    moving_since = models.DateTimeField(null=True, blank=True)  # in real time
    step_to = models.DateTimeField(null=True, blank=True)  # where the present step ends
    error = models.TextField(blank=True)  # why the last move did not get there; empty: it did

    class Meta:
        verbose_name_plural = "sandboxes"
        constraints = [
            models.CheckConstraint(
                name="billing_sandbox_moves_or_stands",
                condition=Q(moving_to=None, moving_since=None, step_to=None)
                | Q(moving_to__isnull=False, moving_since__isnull=False, error=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.organization)

"""What happened that others shall be told of."""

from django.db import models
from django.db.models import Q

from apps.core.models import Row
from apps.core.walls import Wall
from apps.tenants.models.organizations import Organization


class OutboxEvent(Row):
    """
    One event for the world outside. Append-only.

    Written in the transaction of what happened, so that there is neither an event without its
    cause nor a cause without its event. Its id is in the order of making; who delivers events
    keeps his own place beside this table.
    """

    PREFIX = "evt"
    WALL = Wall(web="SELECT, INSERT", staff="SELECT, INSERT")

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    event_type = models.CharField(max_length=100)  # job.completed
    object_id = models.CharField(max_length=60)  # job_…
    data = models.JSONField()  # as the API would show it; at most 20 KB

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tenants_event_has_a_type",
                condition=Q(event_type__regex=r"^[a-z_]+(\.[a-z_]+)+$"),
            )
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"], name="tenants_events_of_tenant"
            ),
            models.Index(fields=["object_id"], name="tenants_events_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.object_id}"

"""Shape of an entry of a waiting list in the API."""

from rest_framework import serializers

from apps.capacity.models import WaitlistEntry


class WaitlistEntryOut(serializers.ModelSerializer[WaitlistEntry]):
    """What the organization waits for, and the offer that came of it."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="waitlist_entry", read_only=True)
    project = serializers.CharField(source="project.public_id")
    project_name = serializers.CharField(source="project.name")
    status = serializers.CharField(
        source="standing",
        help_text="waiting, offered, taken, declined, lapsed or withdrawn",
    )
    position = serializers.IntegerField(
        allow_null=True, help_text="1 is the next one; null for who does not wait."
    )
    reservation = serializers.CharField(
        source="reservation.public_id",
        default=None,
        allow_null=True,
        help_text="What is offered: paid like any reservation, released to decline it.",
    )
    offered_kw = serializers.DecimalField(
        12, 3, source="reservation.capacity_kw", default=None, allow_null=True
    )
    offer_expires_at = serializers.DateTimeField(
        source="reservation.hold_expires_at", default=None, allow_null=True
    )

    class Meta:
        model = WaitlistEntry
        fields = [
            "id",
            "object",
            "project",
            "project_name",
            "status",
            "position",
            "comes_first",
            "requested_kw",
            "mode",
            "allow_partial",
            "tolerance_kw",
            "max_overshoot_kw",
            "passed_over_at",
            "reservation",
            "offered_kw",
            "offered_at",
            "offer_expires_at",
            "ended_at",
            "created_at",
        ]

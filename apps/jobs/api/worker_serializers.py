"""Shapes of the API for workers outside."""

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from apps.jobs.models import WorkerClaim
from apps.jobs.services.claiming import LEASE


class ClaimIn(serializers.Serializer[Any]):
    """Which operations to claim; without them, all that the key is for."""

    operations = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=50
    )


class ClaimOut(serializers.ModelSerializer[WorkerClaim]):
    """An area that is the worker's until `lease_until`, and what to do with it."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="claim", read_only=True)
    area_id = serializers.CharField(source="area.public_id")
    operation = serializers.CharField(source="area.operation_type")
    parameters = serializers.DictField(source="area.parameters")
    attempt_number = serializers.IntegerField(source="area.attempt_number")
    claims = serializers.IntegerField(
        source="area.claims", help_text="How often this attempt was claimed; the fifth is the last."
    )
    picture_url = serializers.SerializerMethodField()
    lease_seconds = serializers.SerializerMethodField()
    lease_until = serializers.DateTimeField(source="area.claimed_until")
    deadline = serializers.DateTimeField(source="area.job.deadline")

    class Meta:
        model = WorkerClaim
        fields = [
            "id",
            "object",
            "area_id",
            "operation",
            "parameters",
            "attempt_number",
            "claims",
            "picture_url",
            "lease_seconds",
            "lease_until",
            "deadline",
        ]

    def get_picture_url(self, claim: WorkerClaim) -> str:
        """Return the address of the picture."""
        return str(reverse("api:jobs:claim_picture", args=[claim.public_id]))

    def get_lease_seconds(self, claim: WorkerClaim) -> int:
        """Return for how long each heartbeat keeps the area."""
        return int(LEASE.total_seconds())


class HeartbeatIn(serializers.Serializer[Any]):
    """How far the work is, in percent."""

    progress = serializers.IntegerField(min_value=0, max_value=100, required=False)


class LeaseOut(serializers.Serializer[Any]):
    """Until when the area is the worker's."""

    object = serializers.CharField(default="lease", read_only=True)
    lease_until = serializers.DateTimeField()


class FailIn(serializers.Serializer[Any]):
    """Why it failed. The customer reads the message, unless it is tried again."""

    code = serializers.RegexField(r"^[a-z][a-z0-9_]{0,49}\Z")
    message = serializers.CharField(max_length=500)
    is_retryable = serializers.BooleanField(
        default=False, help_text="Let another worker try the same attempt, with nothing given back."
    )


class EndOut(serializers.Serializer[Any]):
    """How a claim ended."""

    id = serializers.CharField()
    object = serializers.CharField(default="claim", read_only=True)
    status = serializers.CharField(help_text="`completed`, `failed` or `released`.")


class CompletedOut(EndOut):
    """The result as it is kept: without its metadata."""

    content_type = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()

"""What the API takes and gives of access."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.rbac.models import ApiKey
from apps.rbac.permissions import SCOPES


class OrganizationOut(serializers.Serializer[Any]):
    """An organization."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="organization")
    name = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.CharField()
    website = serializers.CharField()
    billing_email = serializers.CharField()
    time_zone = serializers.CharField()
    is_personal = serializers.BooleanField()
    max_users = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=["active", "closed", "deactivated"])
    closed_at = serializers.DateTimeField(allow_null=True)
    sandbox_clock = serializers.DateTimeField(
        source="clock_at",
        allow_null=True,
        help_text="Where time stands still in a sandbox; null in every other organization.",
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PersonOut(serializers.Serializer[Any]):
    """A person."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="user")
    email = serializers.CharField()
    full_name = serializers.CharField()


class MeOut(serializers.Serializer[Any]):
    """Who is calling, where, and what he may do there."""

    object = serializers.CharField(default="me")
    user = PersonOut()
    organization = OrganizationOut()
    key_id = serializers.CharField(allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField(), allow_null=True)
    permissions = serializers.ListField(child=serializers.CharField())


class OldSecretOut(serializers.Serializer[Any]):
    """The secret before the last rotation, for as long as it works."""

    hint = serializers.CharField(source="previous_hint")
    works_until = serializers.DateTimeField(source="previous_until")
    last_used_at = serializers.DateTimeField(source="previous_used_at", allow_null=True)


class KeyOut(serializers.Serializer[Any]):
    """An API key without its secret."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="api_key")
    livemode = serializers.BooleanField(source="is_live")
    name = serializers.CharField()
    hint = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    created_by = serializers.CharField(source="created_by.public_id")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    status = serializers.ChoiceField(choices=ApiKey.Status.choices)
    last_used_at = serializers.DateTimeField(source="last_use", allow_null=True)
    last_used_ip = serializers.CharField(allow_null=True)
    last_used_agent = serializers.CharField()
    rotated_at = serializers.DateTimeField(allow_null=True)
    old_secret = serializers.SerializerMethodField()

    @extend_schema_field(OldSecretOut(allow_null=True))
    def get_old_secret(self, key: ApiKey) -> dict[str, Any] | None:
        """Return the secret before the last rotation, while it works."""
        return dict(OldSecretOut(key).data) if key.has_old_secret else None


class NewKeyOut(KeyOut):
    """A key that was just made, with its secret: the only time it is told."""

    secret = serializers.CharField()


class KeyIn(serializers.Serializer[Any]):
    """A new API key."""

    name = serializers.CharField(max_length=100)
    scopes = serializers.MultipleChoiceField(choices=[*SCOPES], allow_empty=False)
    livemode = serializers.BooleanField(default=False)
    expires_at = serializers.DateTimeField(allow_null=True, default=None)

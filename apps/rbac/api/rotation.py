"""The API of new secrets for API keys."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import validated
from apps.rbac import selectors
from apps.rbac.api.base import TenantAPIView
from apps.rbac.api.serializers import KeyOut, NewKeyOut
from apps.rbac.services import rotation


class RotationIn(serializers.Serializer[Any]):
    """How a key gets a new secret."""

    old_secret_until = serializers.DateTimeField(
        allow_null=True,
        default=None,
        help_text="Until when the old secret works, a week at most. Without it: it stops at once.",
    )
    expires_at = serializers.DateTimeField(
        allow_null=True, required=False, help_text="When the key ends; without it, as before."
    )
    hint = serializers.CharField(
        max_length=32,
        required=False,
        help_text="The hint of the secret that you mean to replace: another one is refused.",
    )


class RotatedKey(TenantAPIView):
    """A new secret for an API key."""

    permissions = {"POST": "keys.manage"}
    confirmed_methods = frozenset({"POST"})

    @extend_schema(
        operation_id="keys_rotate", tags=["keys"], request=RotationIn, responses=NewKeyOut
    )
    def post(self, request: Request, key_id: str) -> Response:
        """Give a key a new secret and return it, this once. For signed-in people only."""
        key = self.get_object(selectors.api_keys_of(self.organization), key_id)
        fields = validated(RotationIn, request.data)
        key, secret = rotation.rotate_key(
            key=key,
            user=self.user,
            old_until=fields["old_secret_until"],
            expires_at=fields.get("expires_at", rotation.KEEP),
            hint=fields.get("hint", ""),
        )
        body = {**KeyOut(key).data, "secret": secret}
        return Response(body, headers={"Cache-Control": "no-store"})


class EndedOldSecret(TenantAPIView):
    """The end of the secret before the last rotation."""

    permissions = {"POST": "keys.manage"}

    @extend_schema(
        operation_id="keys_end_old_secret", tags=["keys"], request=None, responses=KeyOut
    )
    def post(self, request: Request, key_id: str) -> Response:
        """Stop the old secret at once; the new one works on. For signed-in people only."""
        key = self.get_object(selectors.api_keys_of(self.organization), key_id)
        return Response(KeyOut(rotation.end_old_secret(key=key)).data)

"""Sign in programs by API key."""

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.core import context, scope
from apps.rbac.models import ApiKey
from apps.rbac.services import keys
from apps.tenants.models import User


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer cof_…`: the key's maker acts, within the key's scopes."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """
        Return the key and the person who made it, or None where no key was sent.

        :raises AuthenticationFailed: if the key cannot be used, whatever the reason.
        """
        token = bearer_token(request)
        if token is None:
            return None
        key = keys.find_key(token)
        if key is None:
            raise AuthenticationFailed("This API key is not known, was revoked, or has expired.")
        maker = f"user:{key.created_by.public_id}"
        scope.set_user(key.created_by_id)
        scope.set_organization(key.organization_id)
        context.set_actor(f"key:{key.public_id}", acting_as=maker)
        keys.note_use(key=key, token=token, at=timezone.now())
        return key.created_by, key

    def authenticate_header(self, request: Request) -> str:
        """Say how to sign in, and whether the key that was sent is the reason."""
        if bearer_token(request) is None:
            return 'Bearer realm="api"'
        return 'Bearer realm="api", error="invalid_token"'


def bearer_token(request: Request) -> str | None:
    """Return what follows `Bearer` in the Authorization header, or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes API keys in the OpenAPI document."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme as OpenAPI writes it."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "cof_test_… or cof_live_…"}

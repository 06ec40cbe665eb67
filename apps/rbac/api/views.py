"""The API of organization and access."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import paginated, validated
from apps.rbac import selectors
from apps.rbac.api.base import TenantAPIView
from apps.rbac.api.organizations import ChangeableOrganization, OrganizationChanges
from apps.rbac.api.serializers import KeyIn, KeyOut, MeOut, NewKeyOut, OrganizationOut
from apps.rbac.services import keys


class OrganizationView(ChangeableOrganization):
    """The organization of the caller."""

    @extend_schema(
        operation_id="organization_retrieve", tags=["organization"], responses=OrganizationOut
    )
    def get(self, request: Request) -> Response:
        """Return the organization that the key is bound to."""
        return self.show()

    @extend_schema(
        operation_id="organization_update",
        tags=["organization"],
        request=OrganizationChanges,
        responses=OrganizationOut,
    )
    def patch(self, request: Request) -> Response:
        """Change what the organization tells about itself."""
        return self.change(request)


class Me(TenantAPIView):
    """The caller."""

    permissions = {"GET": "organization.view"}

    @extend_schema(operation_id="me_retrieve", tags=["organization"], responses=MeOut)
    def get(self, request: Request) -> Response:
        """Return who is calling, where, and what he may do there."""
        caller = {
            "user": self.user,
            "organization": self.organization,
            "key_id": self.key.public_id if self.key else None,
            "scopes": self.key.scopes if self.key else None,
            "permissions": sorted(selectors.held_by(self.user, self.organization, self.key)),
        }
        return Response(MeOut(caller).data)


class Keys(TenantAPIView):
    """The organization's API keys."""

    permissions = {"GET": "keys.view", "POST": "keys.manage"}
    confirmed_methods = frozenset({"POST"})

    @extend_schema(operation_id="keys_list", tags=["keys"], responses=KeyOut(many=True))
    def get(self, request: Request) -> Response:
        """Return the keys, newest first, revoked ones too."""
        return paginated(request, selectors.api_keys_of(self.organization), KeyOut)

    @extend_schema(
        operation_id="keys_create", tags=["keys"], request=KeyIn, responses={201: NewKeyOut}
    )
    def post(self, request: Request) -> Response:
        """Make a key and return its secret, this once. For signed-in people only."""
        fields = validated(KeyIn, request.data)
        key, secret = keys.create_key(
            organization=self.organization,
            created_by=self.user,
            name=fields["name"],
            scopes=fields["scopes"],
            is_live=fields["livemode"],
            expires_at=fields["expires_at"],
        )
        body = {**KeyOut(key).data, "secret": secret}
        headers = {
            "Location": reverse("api:rbac:key", args=[key.public_id]),
            "Cache-Control": "no-store",
        }
        return Response(body, status=201, headers=headers)


class Key(TenantAPIView):
    """One API key."""

    permissions = {"GET": "keys.view"}

    @extend_schema(operation_id="keys_retrieve", tags=["keys"], responses=KeyOut)
    def get(self, request: Request, key_id: str) -> Response:
        """Return one key."""
        key = self.get_object(selectors.api_keys_of(self.organization), key_id)
        return Response(KeyOut(key).data)


class RevokedKey(TenantAPIView):
    """The end of an API key."""

    permissions = {"POST": "keys.manage"}

    @extend_schema(operation_id="keys_revoke", tags=["keys"], request=None, responses=KeyOut)
    def post(self, request: Request, key_id: str) -> Response:
        """Revoke a key: it stops at once and for ever. For signed-in people only."""
        key = self.get_object(selectors.api_keys_of(self.organization), key_id)
        return Response(KeyOut(keys.revoke_key(key=key)).data)

"""The API of what is shared with people outside, and of what is shared with oneself."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import paginated, validated
from apps.rbac import selectors
from apps.rbac.api.base import TenantAPIView
from apps.rbac.api.person import PersonAPIView
from apps.rbac.models import Share
from apps.rbac.services import sharing


class ShareOut(serializers.Serializer[Any]):
    """One object that is shared with one person."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="share", read_only=True)
    object_id = serializers.SerializerMethodField()
    user_id = serializers.CharField(source="user.public_id")
    email = serializers.CharField(source="user.email")
    shared_by = serializers.CharField(source="shared_by.public_id", default=None)
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)

    def get_object_id(self, share: Share) -> str | None:
        """Return the id of what is shared; null if it is gone."""
        return getattr(share.shared, "public_id", None)


class ShareIn(serializers.Serializer[Any]):
    """What to share, with whom, and until when."""

    object_id = serializers.CharField(max_length=40)
    email = serializers.EmailField()
    expires_at = serializers.DateTimeField(allow_null=True, default=None)


class SharedOut(serializers.Serializer[Any]):
    """One object that somebody shares with the caller."""

    object = serializers.CharField(default="shared", read_only=True)
    object_id = serializers.SerializerMethodField()
    organization = serializers.CharField(source="organization.name")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)

    def get_object_id(self, share: Share) -> str | None:
        """Return the id of what is shared; null if it is gone."""
        return getattr(share.shared, "public_id", None)


class Shares(TenantAPIView):
    """What the organization shares with people outside."""

    permissions = {"GET": "shares.view", "POST": "shares.manage"}

    @extend_schema(operation_id="shares_list", tags=["sharing"], responses=ShareOut(many=True))
    def get(self, request: Request) -> Response:
        """Return shares, newest first; those that were taken back or are over, too."""
        return paginated(request, selectors.shares_of(self.organization), ShareOut)

    @extend_schema(
        operation_id="shares_create", tags=["sharing"], request=ShareIn, responses={201: ShareOut}
    )
    def post(self, request: Request) -> Response:
        """Share one object with a person outside; shared again, it takes the new expiry."""
        fields = validated(ShareIn, request.data)
        share = sharing.share_object(
            by=self.user,
            organization=self.organization,
            **fields,
            key=self.key,
        )
        share.refresh_from_db()
        location = reverse("api:rbac:share", args=[share.public_id])
        return Response(ShareOut(share).data, status=201, headers={"Location": location})


class ShareView(TenantAPIView):
    """One share."""

    permissions = {"GET": "shares.view"}

    @extend_schema(operation_id="shares_retrieve", tags=["sharing"], responses=ShareOut)
    def get(self, request: Request, share_id: str) -> Response:
        """Return one share."""
        share = self.get_object(selectors.shares_of(self.organization), share_id)
        return Response(ShareOut(share).data)


class RevokedShare(TenantAPIView):
    """The end of a share."""

    permissions = {"POST": "shares.manage"}

    @extend_schema(operation_id="shares_revoke", tags=["sharing"], request=None, responses=ShareOut)
    def post(self, request: Request, share_id: str) -> Response:
        """Take it back: the person's next request finds nothing."""
        share = self.get_object(selectors.shares_of(self.organization), share_id)
        ended = sharing.revoke_share(by=self.user, share=share, key=self.key)
        return Response(ShareOut(ended).data)


class SharedWithMe(PersonAPIView):
    """What organizations elsewhere share with the caller."""

    @extend_schema(operation_id="shared_list", tags=["sharing"], responses=SharedOut(many=True))
    def get(self, request: Request) -> Response:
        """Return what is shared now, newest first. For signed-in people only."""
        return paginated(request, selectors.shares_with(self.user), SharedOut)

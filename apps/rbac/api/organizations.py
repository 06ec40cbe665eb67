"""The API of organizations: those of the caller, one by id or slug, and a new one."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import scope
from apps.core.api import paginated, validated
from apps.core.errors import NotFound
from apps.rbac import selectors
from apps.rbac.api.base import TenantAPIView
from apps.rbac.api.serializers import OrganizationOut
from apps.rbac.errors import PersonRequired
from apps.rbac.models import ApiKey
from apps.rbac.services.founding import found_organization
from apps.tenants.models import Organization, User
from apps.tenants.selectors import time_zones
from apps.tenants.services.organizations import update_organization
from apps.tenants.services.standing import reopen_organization

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class OrganizationIn(serializers.Serializer[Any]):
    """A new organization."""

    name = serializers.CharField(max_length=100)
    slug = serializers.RegexField(
        SLUG, max_length=100, required=False, default="", help_text="Made from the name without."
    )


class OrganizationChanges(serializers.Serializer[Any]):
    """What to change; what is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    slug = serializers.RegexField(SLUG, max_length=100, required=False)
    description = serializers.CharField(max_length=5000, required=False, allow_blank=True)
    website = serializers.URLField(max_length=500, required=False, allow_blank=True)
    billing_email = serializers.EmailField(required=False, allow_blank=True)
    time_zone = serializers.CharField(required=False, help_text="As IANA names it: Europe/Berlin.")

    def validate_time_zone(self, name: str) -> str:
        """Refuse a zone that nobody knows."""
        if name not in dict(time_zones()):
            raise serializers.ValidationError("There is no such time zone.", "invalid_choice")
        return name


class ReopeningIn(serializers.Serializer[Any]):
    """Why the closing is undone."""

    reason = serializers.CharField(max_length=1000, required=False, default="")


class Organizations(APIView):
    """The organizations of the caller; a key knows only its own."""

    http_method_names = ["get", "post", "head"]

    @extend_schema(
        operation_id="organizations_list",
        tags=["organization"],
        responses=OrganizationOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the organizations to which the person belongs, newest first."""
        rows = selectors.organizations_of(person(request))
        if isinstance(request.auth, ApiKey):
            rows = rows.filter(pk=request.auth.organization_id)
        return paginated(request, rows, OrganizationOut)

    @extend_schema(
        operation_id="organizations_create",
        tags=["organization"],
        request=OrganizationIn,
        responses={201: OrganizationOut},
    )
    def post(self, request: Request) -> Response:
        """Create an organization that the person owns. For signed-in people only."""
        user = signed_in_person(request, "organization.create")
        made = found_organization(user=user, **validated(OrganizationIn, request.data))
        headers = {"Location": reverse("api:rbac:organization_named", args=[made.public_id])}
        return Response(OrganizationOut(made).data, status=201, headers=headers)


class ChangeableOrganization(TenantAPIView):
    """One organization: read it, and change what it tells about itself."""

    permissions = {"GET": "organization.view", "PATCH": "organization.update"}

    def show(self) -> Response:
        """Answer the organization as it is."""
        return Response(OrganizationOut(self.organization).data)

    def change(self, request: Request) -> Response:
        """Change what is named, and answer the organization as it is now."""
        changes = validated(OrganizationChanges, request.data)
        changed = update_organization(organization=self.organization, **changes)
        return Response(OrganizationOut(changed).data)


class NamedOrganization(ChangeableOrganization):
    """An organization by id (org_…), slug or former slug."""

    def find_organization(self, request: Request, key: ApiKey | None) -> Organization:
        """
        Return the organization in the address.

        :raises NotFound: if the caller does not belong to it, or his key is for another.
        """
        found = selectors.organization_named(self.user, self.kwargs["organization"])
        if key is not None and key.organization_id != found.pk:
            raise NotFound
        return found

    @extend_schema(
        operation_id="organizations_retrieve", tags=["organization"], responses=OrganizationOut
    )
    def get(self, request: Request, organization: str) -> Response:
        """Return one organization."""
        return self.show()

    @extend_schema(
        operation_id="organizations_update",
        tags=["organization"],
        request=OrganizationChanges,
        responses=OrganizationOut,
    )
    def patch(self, request: Request, organization: str) -> Response:
        """Change one organization."""
        return self.change(request)


class Reopening(APIView):
    """The undoing of a closing, for 30 days."""

    http_method_names = ["post"]

    @extend_schema(
        operation_id="organizations_reopen",
        tags=["organization"],
        request=ReopeningIn,
        responses=OrganizationOut,
    )
    def post(self, request: Request, organization: str) -> Response:
        """Open a closed organization again. For its owners, signed in."""
        user = signed_in_person(request, "organization.close")
        closed = selectors.closed_organization_of(user, organization)
        scope.set_organization(closed.pk)
        fields = validated(ReopeningIn, request.data)
        reopened = reopen_organization(organization=closed, **fields)
        return Response(OrganizationOut(reopened).data)


def person(request: Request) -> User:
    """Return who is calling: anonymous callers come no further than authentication."""
    assert isinstance(request.user, User)
    return request.user


def signed_in_person(request: Request, permission: str) -> User:
    """
    Return the person who is signed in.

    :raises PersonRequired: if the caller is an API key.
    """
    if request.auth is not None:
        raise PersonRequired(permission=permission)
    return person(request)

"""The address behind signed links to pictures and results."""

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.core import links, scope
from apps.core.errors import NotFound, PermissionDenied
from apps.core.files import handed_out
from apps.core.links import Grant
from apps.jobs.selectors.viewing import Viewer, viewer_of
from apps.jobs.services.links import file_of
from apps.rbac import selectors as rbac_selectors
from apps.rbac.api.base import check_permission, check_second_factor
from apps.rbac.models import ApiKey
from apps.tenants.errors import SecondFactorRequired
from apps.tenants.models import Organization, User


class File(APIView):
    """
    A picture or a result, for whoever has a link to it that works.

    A link that was made for a person opens in his session alone; one that was made for a key
    needs nothing else, so that it can be handed on. Either may be opened as long as person or
    key may see jobs. Everything else is 404.
    """

    authentication_classes = (SessionAuthentication,)  # of keys, the link says which
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="files_retrieve",
        tags=["jobs"],
        parameters=[OpenApiParameter("link", str, required=True)],
        responses={(200, "image/png"): OpenApiTypes.BINARY},
        auth=[],
    )
    def get(self, request: Request, file_id: str) -> HttpResponseBase:
        """Return the picture; 404 if the link is changed, past its time, or of somebody else."""
        grant = links.opened(request.query_params.get("link", ""), file_id=file_id)
        try:
            organization, by = allowed(request, grant)
        except (PermissionDenied, SecondFactorRequired) as error:
            raise NotFound from error
        return handed_out(file_of(organization, file_id, by))


def allowed(request: Request, grant: Grant) -> tuple[Organization, Viewer]:
    """
    Return the organization, if the one for whom the link was made may still see its jobs.

    And what he sees of them.

    :raises NotFound: if he has left, or the session is another's.
    :raises PermissionDenied: if he may see them no more.
    """
    scope.set_user(grant.user_id)
    scope.set_organization(grant.organization_id)
    key = key_of(grant)
    user = key.created_by if key else request.user
    if not isinstance(user, User) or user.pk != grant.user_id or not user.is_active:
        raise NotFound
    organization = rbac_selectors.organization_of_member(
        user, organization_id=grant.organization_id
    )
    if key is None:
        check_second_factor(request, user, organization)
    by = viewer_of(user, organization)
    check_permission("jobs.view" if by.sees_all else "jobs.view_own", user, organization, key)
    return organization, by


def key_of(grant: Grant) -> ApiKey | None:
    """
    Return the key for which the link was made, or None if it was made for a person.

    :raises NotFound: if the key was revoked, or has expired.
    """
    if not grant.key_id:
        return None
    key_id = ApiKey.read_id(grant.key_id)
    assert key_id is not None, "we have signed it"
    key = ApiKey.objects.select_related("created_by").filter(pk=key_id).first()
    if key is None or not key.is_active:
        raise NotFound
    return key

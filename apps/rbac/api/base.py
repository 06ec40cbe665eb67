"""The frame of every API view: which organization, and may the caller do this there."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import scope
from apps.core.errors import DomainError, NotFound, PermissionDenied
from apps.core.models import PublicId
from apps.core.ratelimits.requests import check_rate, requests_of
from apps.core.routes import object_of, route_of
from apps.rbac import selectors
from apps.rbac.errors import (
    ConfirmationRequired,
    OrganizationRequired,
    PersonRequired,
    ScopeMissing,
)
from apps.rbac.models import ApiKey
from apps.rbac.permissions import BY_CODE
from apps.tenants.errors import SecondFactorRequired
from apps.tenants.models import Organization, User
from apps.tenants.selectors import has_shown_second_factor
from apps.tenants.services.denials import record_denial

METHODS = ("get", "post", "put", "patch", "delete")


class TenantAPIView(APIView):
    """
    A view that works in one organization.

    An API key names its organization. A signed-in person who belongs to several names
    one in the header `Coffer-Organization`. To everyone else it does not exist: 404.
    """

    permissions: ClassVar[Mapping[str, str]] = {}  # a permission for each method it answers
    for_own: ClassVar[Mapping[str, str]] = {}  # one that is enough for one's own part alone
    confirmed_methods: ClassVar[Collection[str]] = frozenset()  # ask who it is, if not done lately
    keyed_methods: ClassVar[Collection[str]] = frozenset()  # those that need an Idempotency-Key
    http_method_names = [*METHODS, "head"]
    throttle_classes = ()  # `initial` counts the request, once it knows the organization

    user: User  # who signed in, or who made the key
    key: ApiKey | None  # None: a person in a session
    organization: Organization
    principal: str  # org_…:key_… or org_…:usr_…

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """
        Refuse a view that answers a method without a permission.

        :raises ImproperlyConfigured: when the class is made, so never at a request.
        """
        super().__init_subclass__(**kwargs)
        answered = {method.upper() for method in METHODS if hasattr(cls, method)}
        if missing := answered - cls.permissions.keys():
            raise ImproperlyConfigured(f"{cls.__name__} has no permission for {sorted(missing)}.")
        if unknown := {*cls.permissions.values(), *cls.for_own.values()} - BY_CODE.keys():
            raise ImproperlyConfigured(f"{cls.__name__}: no such permission: {sorted(unknown)}.")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """
        Find organization and principal, and check the permission, before any method runs.

        :raises NotFound: if the caller does not belong to the organization.
        :raises RateLimited: if more requests came than a policy allows.
        :raises SecondFactorRequired: if the organization asks for one that was not shown.
        :raises PermissionDenied: if he does, and may not do this.
        :raises ConfirmationRequired: if this asks who it is, and he has not shown it lately.
        """
        super().initial(request, *args, **kwargs)
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in self.permissions:
            raise MethodNotAllowed(method)
        assert isinstance(request.user, User)
        self.user = request.user
        self.key = key = request.auth if isinstance(request.auth, ApiKey) else None
        self.organization = self.find_organization(request, key)
        follows = BY_CODE[self.permissions[method]].follows_sandbox
        scope.set_organization(
            self.organization.pk, self.organization.clock_at if follows else None
        )
        check_rate(request._request, requests_of(self, method), self.organization)
        if key is None:
            check_second_factor(request, self.user, self.organization)
        request.organization = self.organization  # type: ignore[attr-defined]
        caller = key or request.user
        self.principal = f"{self.organization.public_id}:{caller.public_id}"
        check_permission(self.permission(method), request.user, self.organization, key)
        if key is None and method in self.confirmed_methods:
            check_confirmed(request)

    def permission(self, method: str) -> str:
        """Return what the method asks of this person: all, unless he may see only his own part."""
        code, own = self.permissions[method], self.for_own.get(method)
        if own and not self.user.has_perm(code, self.organization):
            return own if self.user.has_perm(own, self.organization) else code
        return code

    def handle_exception(self, exc: Exception) -> Response:
        """Write down what was denied, and answer as ever."""
        is_denial = isinstance(exc, DomainError) and exc.status == PermissionDenied.status
        if is_denial and hasattr(self, "organization"):
            assert isinstance(exc, DomainError)
            record_denial(
                action=exc.details.get("permission", exc.code),
                organization=self.organization,
                object_id=object_of(self.request),
                route=route_of(self.request),
            )
        return super().handle_exception(exc)

    def find_organization(self, request: Request, key: ApiKey | None) -> Organization:
        """Return the organization that the request is about; views with an address of it differ."""
        return find_organization(request, self.user, key)

    def get_object[M: Model](self, rows: QuerySet[M], public_id: str) -> M:
        """
        Return the organization's row with this id.

        :raises NotFound: if there is none; one of another organization looks the same.
        """
        assert issubclass(rows.model, PublicId)
        row_id = rows.model.read_id(public_id)
        if row_id is None:
            raise NotFound
        row = rows.filter(pk=row_id, organization=self.organization).first()
        if row is None:
            raise NotFound
        return row


def find_organization(request: Request, user: User, key: ApiKey | None) -> Organization:
    """
    Return the organization that the request is about.

    :raises NotFound: if there is none, or the caller does not belong to it.
    :raises OrganizationRequired: if he belongs to several and names none.
    """
    named = request.headers.get("Coffer-Organization")
    if key is not None:
        if named not in (None, key.organization.public_id):
            raise NotFound
        return key.organization
    if named is not None:
        organization_id = Organization.read_id(named)
        if organization_id is None:
            raise NotFound
        return selectors.organization_of_member(user, organization_id=organization_id)
    first_two = list(selectors.organizations_of(user)[:2])
    if not first_two:
        raise NotFound
    if len(first_two) > 1:
        raise OrganizationRequired
    return first_two[0]


def check_second_factor(request: Request, user: User, organization: Organization) -> None:
    """
    Check that a signed-in person has shown a second factor where the organization asks for one.

    :raises SecondFactorRequired: if he has not.
    """
    if not organization.requires_second_factor:
        return
    if not has_shown_second_factor(user, request.session):
        raise SecondFactorRequired(place=organization.name)


def check_confirmed(request: Request) -> None:
    """
    Check that whoever sits there has shown his password or factor in the last minutes.

    :raises ConfirmationRequired: if he has not.
    """
    if is_reauthentication_required(request._request, app="apps.rbac"):
        raise ConfirmationRequired(minutes=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT // 60)


def check_permission(code: str, user: User, organization: Organization, key: ApiKey | None) -> None:
    """
    Check that the person may do this, and that his key was given the scope for it.

    :raises PermissionDenied: if one of them is missing, naming which.
    """
    if not user.has_perm(code, organization):
        raise PermissionDenied(permission=code)
    if key is None:
        return
    scope = BY_CODE[code].scope
    if not scope:
        raise PersonRequired(permission=code)
    if scope not in key.scopes:
        raise ScopeMissing(permission=code, scope=scope)

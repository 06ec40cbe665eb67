"""The frame of every API view for staff: signed in, with a permission that only staff have."""

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.core.errors import NotFound
from apps.core.postgres.staff import as_staff, keep_staff
from apps.core.routes import route_of
from apps.rbac.api.base import METHODS
from apps.rbac.errors import PersonRequired
from apps.rbac.permissions import BY_CODE
from apps.tenants.errors import SecondFactorRequired
from apps.tenants.models import User
from apps.tenants.selectors import has_shown_second_factor
from apps.tenants.services.denials import record_denial


class StaffAPIView(APIView):
    """
    A view that works across organizations.

    Keys belong to organizations, so that only a signed-in person gets here; to those
    without the permission it does not exist: 404.
    """

    permissions: ClassVar[Mapping[str, str]] = {}  # a staff permission for each method
    keyed_methods: ClassVar[Collection[str]] = frozenset()  # those that need an Idempotency-Key
    http_method_names = [*METHODS, "head"]

    user: User
    _scope: ExitStack
    principal: str  # staff:usr_…

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """
        Refuse a view that answers a method without a staff permission.

        :raises ImproperlyConfigured: when the class is made, so never at a request.
        """
        super().__init_subclass__(**kwargs)
        for method in (name.upper() for name in METHODS if hasattr(cls, name)):
            permission = BY_CODE.get(cls.permissions.get(method, ""))
            if permission is None or not permission.is_for_staff:
                raise ImproperlyConfigured(f"{cls.__name__} has no staff permission for {method}.")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, and look across organizations no longer than that takes."""
        with ExitStack() as self._scope:
            response = super().dispatch(request, *args, **kwargs)
            # Only those who got past `initial` have anything that is sent bit by bit.
            return keep_staff(response, "the API for staff")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """
        Check the permission before any method runs.

        :raises NotFound: if the person does not have it.
        :raises PersonRequired: if the caller is an API key.
        :raises SecondFactorRequired: if the person has shown none in this session.
        """
        super().initial(request, *args, **kwargs)
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in self.permissions:
            raise MethodNotAllowed(method)
        assert isinstance(request.user, User)
        code = self.permissions[method]
        if request.auth is not None:
            raise PersonRequired(permission=code)
        if not (request.user.is_staff and request.user.has_perm(code)):
            record_denial(action=code, organization=None, route=route_of(request))
            raise NotFound
        if settings.STAFF_SECOND_FACTOR and not has_shown_second_factor(
            request.user, request.session
        ):
            raise SecondFactorRequired(place="The back office")
        self._scope.enter_context(as_staff("the API for staff"))
        self.user = request.user
        self.principal = f"staff:{request.user.public_id}"

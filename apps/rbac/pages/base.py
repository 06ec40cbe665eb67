"""The frame of every page of an organization: does he belong, may he, and what went wrong."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views import View

from apps.core import paging, scope
from apps.core.errors import DomainError, NotFound, PermissionDenied
from apps.core.models import Row
from apps.core.pages import refusal_page
from apps.core.routes import object_of, route_of
from apps.rbac import selectors
from apps.rbac.pages.frame import LAST_USED
from apps.rbac.permissions import BY_CODE
from apps.rbac.services import presence
from apps.tenants.models import Organization, User
from apps.tenants.pages.second_factor import ask_for_it
from apps.tenants.selectors import has_shown_second_factor
from apps.tenants.services.denials import record_denial

PAGE_SIZE = 25  # rows of a list
SEEN = "seen"  # session key: when which organization was looked at, as Unix time
SEEN_EVERY = 600  # seconds


class TenantPage(LoginRequiredMixin, View):
    """
    A page below `/o/<slug>/`.

    To those who do not belong to the organization it does not exist: 404. A DomainError
    that the view does not show on its form becomes a page with the same facts.
    """

    permission: ClassVar[str] = ""  # to see it
    permission_for_own: ClassVar[str] = ""  # is enough to see one's own part, and nothing else
    permission_to_change: ClassVar[str] = ""  # for POST, where it differs
    confirms_person: ClassVar[bool] = False  # POST asks for the password if it was not lately

    organization: Organization
    user: User

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """
        Refuse a page without a permission.

        :raises ImproperlyConfigured: when the class is made, so never at a request.
        """
        super().__init_subclass__(**kwargs)
        others = {cls.permission_to_change, cls.permission_for_own} - {""}
        asked = {cls.permission, *others}
        if unknown := asked - BY_CODE.keys():
            raise ImproperlyConfigured(f"{cls.__name__}: no such permission: {sorted(unknown)}.")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """
        Find the organization and check the permission, before any method runs.

        :raises Http404: if the person does not belong to the organization.
        """
        if not isinstance(request.user, User):
            return self.handle_no_permission()
        self.user = request.user
        try:
            self.organization = find_organization(self.user, kwargs["slug"])
        except Http404:
            if (moved := moved_page(request, self.user, kwargs["slug"])) is None:
                raise
            return redirect(moved)
        follows = BY_CODE[self.permission].follows_sandbox
        scope.set_organization(
            self.organization.pk, self.organization.clock_at if follows else None
        )
        if lacks_second_factor(request, self.organization, self.user):
            return ask_for_it(request, because=self.organization.name)
        request.organization = self.organization  # type: ignore[attr-defined]
        remember(request, self.organization)
        try:
            self.check_permission(request)
            if self.confirms_person and not is_reading(request):
                # Not a DomainError: allauth keeps the request, asks, and carries it out then.
                raise_if_reauthentication_required(request, app="apps.rbac")
            return super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            if error.status == PermissionDenied.status:
                self.record(error)
            return refusal_page(request, error)

    def record(self, error: DomainError) -> None:
        """Write down that the person was denied something here."""
        record_denial(
            action=error.details.get("permission", error.code),
            organization=self.organization,
            object_id=object_of(self.request),
            route=route_of(self.request),
        )

    def check_permission(self, request: HttpRequest) -> None:
        """
        Check that the person may do this here.

        :raises PermissionDenied: if he may not, naming the permission.
        """
        code = (
            self.permission if is_reading(request) else self.permission_to_change or self.permission
        )
        if self.user.has_perm(code, self.organization):
            return
        own = self.permission_for_own
        if code != self.permission or not own or not self.user.has_perm(own, self.organization):
            raise PermissionDenied(permission=code)

    def listed[M: Row](
        self,
        rows: QuerySet[M],
        here: str,
        chosen: dict[str, str] | None = None,
        *,
        by: str = "created_at",
        among: QuerySet[M] | None = None,
    ) -> tuple[list[M], dict[str, Any]]:
        """
        Return one page of rows, newest first, and the addresses that a list links to.

        `here` is the address of the list, and `chosen` what its filters have. The row that a
        page begins after is looked for `among` these: in a list that is filtered it may fit
        the filter no more by then.
        """
        chosen, last_id = chosen or {}, rows.model.read_id(self.request.GET.get("after", ""))
        last = (rows if among is None else among).filter(pk=last_id).first() if last_id else None
        rows = rows.order_by(f"-{by}", "-id")
        found, end = paging.page_of(paging.after(rows, last, by=by), size=PAGE_SIZE)
        older = urlencode({**chosen, "after": end.public_id}) if end else ""
        return found, {
            "is_filtered": bool(chosen),
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "next_url": f"{here}?{older}" if end else None,
            "first_url": f"{here}?{urlencode(chosen)}" if last else None,
        }


def is_reading(request: HttpRequest) -> bool:
    """Tell whether the request changes nothing."""
    return request.method in ("GET", "HEAD", "OPTIONS")


def find_organization(user: User, slug: str) -> Organization:
    """
    Return the organization with this slug.

    :raises Http404: if there is none, or the person does not belong to it.
    """
    try:
        return selectors.organization_of_member(user, slug=slug)
    except NotFound as error:
        raise Http404 from error


def moved_page(request: HttpRequest, user: User, slug: str) -> str | None:
    """
    Return where a page is now whose organization has got another slug since.

    None for what never was there, and for what is sent: a form is asked for again.
    """
    if request.method not in ("GET", "HEAD"):
        return None
    organization = selectors.organization_that_moved(user, slug)
    if organization is None:
        return None
    return request.get_full_path().replace(f"/o/{slug}/", f"/o/{organization.slug}/", 1)


def lacks_second_factor(request: HttpRequest, organization: Organization, user: User) -> bool:
    """Tell whether the organization asks for a second factor that this session has not shown."""
    asks = organization.requires_second_factor
    return asks and not has_shown_second_factor(user, request.session)


def remember(request: HttpRequest, organization: Organization) -> None:
    """Keep which organization was looked at last, so that the start page leads there."""
    if getattr(request.user, "only_in", None) is not None:
        return  # not the person's visit, and not the session that is his
    if request.session.get(LAST_USED) != organization.slug:
        request.session[LAST_USED] = organization.slug
    note_visit(request, organization)


def note_visit(request: HttpRequest, organization: Organization) -> None:
    """Tell the list of members that he is here; the session spares most requests the row."""
    seen: dict[str, int] = request.session.get(SEEN, {})
    now = int(timezone.now().timestamp())
    if now - seen.get(organization.slug, 0) < SEEN_EVERY or not isinstance(request.user, User):
        return
    presence.note_visit(organization=organization, user=request.user)
    request.session[SEEN] = {**seen, organization.slug: now}

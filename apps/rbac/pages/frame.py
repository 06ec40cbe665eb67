"""What the frame of every page shows: the organization, the others, and the menu."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from apps.core import context, scope
from apps.core.banners import Banner, Viewer, banner_for
from apps.rbac import selectors
from apps.tenants.models import Organization, User
from apps.tenants.selectors import has_shown_second_factor

LAST_USED = "organization"  # session key: the slug of the organization looked at last
DISMISSED = "dismissed"  # session key: which banners were taken away, the oldest first


@dataclass(frozen=True)
class MenuItem:
    """One line of the menu."""

    label: str
    url: str
    icon: str
    is_current: bool


@dataclass(frozen=True)
class MenuGroup:
    """Lines of the menu under one heading."""

    label: str
    items: list[MenuItem]


@dataclass(frozen=True)
class Choice:
    """An organization that the person can switch to."""

    name: str
    slug: str
    url: str
    is_current: bool
    is_personal: bool


def frame(request: HttpRequest) -> dict[str, Any]:
    """
    Return the context of the frame; four queries at most, and none in the admin.

    The banner asks more, on pages of an organization alone and only where it is drawn.
    """
    known = {
        "request_id": context.current().request_id,
        "demo": settings.DEMO,
        "support_email": settings.SUPPORT_EMAIL,
        "impersonation": getattr(request, "impersonation", None),
    }
    user = getattr(request, "user", None)
    is_admin = request.resolver_match is not None and "admin" in request.resolver_match.namespaces
    if is_admin or not isinstance(user, User) or not user.is_active:
        return known
    mine = list(selectors.organizations_of(user))
    current = current_organization(request, mine)
    if current and current.requires_second_factor:
        # Closed to a session without it: the account's pages show no menu of it either.
        current = current if has_shown_second_factor(user, request.session) else None
    permissions = user.get_all_permissions(current) if current else set()
    return {
        **known,
        "organization": current,
        "organizations": choices(mine, current),
        "permissions": permissions,
        "navigation": menu(request.path, current, permissions) if current else [],
        "banner": SimpleLazyObject(lambda: banner_of(request, permissions)),
    }


def banner_of(request: HttpRequest, permissions: set[str]) -> Banner | None:
    """Return the most urgent banner for who looks at a page of an organization, or None."""
    here: Organization | None = getattr(request, "organization", None)
    if here is None or request.resolver_match is None:
        return None
    viewer = Viewer(here, request.user, permissions, request.resolver_match.namespace)
    mine = dismissed_name(here, "")
    names = request.session.get(DISMISSED, [])
    dismissed = {name.removeprefix(mine) for name in names if name.startswith(mine)}
    with scope.within(here.pk, here.clock_at):
        return banner_for(viewer, dismissed)


def dismissed_name(organization: Organization, key: str) -> str:
    """Return as what a session keeps that a banner was taken away."""
    return f"{organization.public_id}:{key}"


def current_organization(request: HttpRequest, mine: list[Organization]) -> Organization | None:
    """Return the organization of this page, or the one looked at last, or the only one."""
    here: Organization | None = getattr(request, "organization", None)
    if here is not None:
        return here
    last = request.session.get(LAST_USED)
    if len(mine) == 1:
        return mine[0]
    return next((one for one in mine if one.slug == last), None)


def choices(mine: list[Organization], current: Organization | None) -> list[Choice]:
    """Return the person's organizations with the address at which each begins."""
    return [
        Choice(one.name, one.slug, first_page(one), current == one, one.is_personal) for one in mine
    ]


def first_page(organization: Organization) -> str:
    """Return the address at which an organization's pages begin."""
    return reverse("organization", args=[organization.slug])


def menu(path: str, organization: Organization, permissions: set[str]) -> list[MenuGroup]:
    """Return the lines of the menu that the person may follow; the page's own is marked."""
    found = [
        (group, entry, reverse(entry.url_name, args=[organization.slug]))
        for group, entries in settings.NAVIGATION
        for entry in entries
        if permissions & {entry.permission, entry.permission_for_own}
        and entry.hidden_by not in permissions
    ]
    # The longest address that the page's own begins with: /jobs/new/ belongs to /jobs/.
    current = max((url for *_, url in found if path.startswith(url)), key=len, default="")
    groups: dict[str, list[MenuItem]] = {}
    for group, entry, url in found:
        item = MenuItem(entry.label, url, entry.icon, is_current=url == current)
        groups.setdefault(group, []).append(item)
    return [MenuGroup(label, items) for label, items in groups.items()]

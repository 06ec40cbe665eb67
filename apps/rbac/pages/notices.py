"""What is said above every page of seats that are taken, and of maintenance that is planned."""

from collections.abc import Iterator

from django.urls import reverse

from apps.core.banners import Banner, Place, Viewer
from apps.rbac.selectors.seats import seats_of
from apps.tenants.selectors.config import Setting, declare, value_of

MAINTENANCE = declare(
    Setting(
        "site.maintenance_notice",
        default="",
        maximum=300,
        description="What every page says of planned maintenance: what, when (UTC), what follows.",
        requires_admin=False,
    )
)


def banners_of(viewer: Viewer) -> Iterator[Banner]:
    """Yield what holds; the seats are counted only where they are limited."""
    if "members.manage" in viewer.permissions and viewer.organization.max_users is not None:
        yield from _of_seats(viewer)
    if text := value_of(MAINTENANCE):
        yield Banner(Place.MAINTENANCE, "info", text, dismissed_as=f"maintenance:{text}"[:200])


def _of_seats(viewer: Viewer) -> Iterator[Banner]:
    seats = seats_of(viewer.organization)
    if seats.limit is None or seats.members + seats.invited < seats.limit:
        return
    taken = "The one seat is" if seats.limit == 1 else f"All {seats.limit} seats are"
    yield Banner(
        Place.SEATS_FULL,
        "info",
        f"{taken} taken: nobody can be invited until one is free, or the plan has more.",
        reverse("rbac:members", args=[viewer.organization.slug]),
        "Members",
        dismissed_as=f"seats:{seats.limit}",
    )

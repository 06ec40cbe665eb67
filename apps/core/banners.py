"""
The one banner of the frame: each app may have something to say, and the most urgent is shown.

An app registers what asks its own rows, with as many queries however many rows there are.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Place(IntEnum):
    """What a banner is about, the most urgent first. Whoever adds one says where it belongs."""

    FROZEN = 1
    PAYMENT_FAILED = 2
    AUTHENTICATION_NEEDED = 3
    OVER_LIMIT = 4
    OUT_OF_CREDITS = 5
    RELOAD_STOPPED = 6
    TRIAL_ENDS = 7
    LOW_BALANCE = 8
    CREDITS_EXPIRE = 9
    SEATS_FULL = 10
    MAINTENANCE = 11
    NOT_CONFIGURED = 12
    TEST_MODE = 13


@dataclass(frozen=True)
class Viewer:
    """Who looks at which page."""

    organization: Any  # tenants.Organization, which the core does not know
    user: Any  # tenants.User
    permissions: Collection[str]  # codes that he has there
    section: str  # the namespace of the page's address: `billing`


@dataclass(frozen=True)
class Banner:
    """One thing to say: fact, consequence and date in the text, and at most one action."""

    place: Place
    level: str  # error, warning, info
    text: str
    action_url: str = ""
    action_label: str = ""
    # What it is dismissed as, until the facts are others. Empty: it cannot be dismissed.
    dismissed_as: str = ""


Source = Callable[[Viewer], Iterable[Banner]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Add what has something to say; it asks for permissions itself."""
    if source not in _sources:
        _sources.append(source)


def banner_for(viewer: Viewer, dismissed: Collection[str] = ()) -> Banner | None:
    """Return the most urgent banner that was not dismissed, or None."""
    found = (one for source in _sources for one in source(viewer))
    shown = [one for one in found if not one.dismissed_as or one.dismissed_as not in dismissed]
    return min(shown, key=lambda one: one.place, default=None)

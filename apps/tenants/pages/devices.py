"""
Which browsers have signed a person in before.

A signed cookie names them, so that nothing has to be kept. Without it, whatever the
reason, a sign-in counts as one from elsewhere: a notice too many does no harm.
"""

from django.conf import settings
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse

from apps.tenants.models import User

COOKIE = "known_people"
SALT = "apps.tenants.devices"
AGE = 365 * 24 * 3600  # seconds
MOST_PEOPLE = 5  # of one browser


def known_people(request: HttpRequest) -> list[str]:
    """Return the ids of those who have signed in here, the latest first."""
    try:
        return str(request.get_signed_cookie(COOKIE, salt=SALT, max_age=AGE)).split(".")
    except (KeyError, BadSignature):
        return []


def is_known(request: HttpRequest, user: User) -> bool:
    """Tell whether the person has signed in with this browser before."""
    return user.public_id in known_people(request)


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Keep in the browser that the person has signed in with it."""
    others = [one for one in known_people(request) if one != user.public_id]
    response.set_signed_cookie(
        COOKIE,
        ".".join([user.public_id, *others][:MOST_PEOPLE]),
        salt=SALT,
        max_age=AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )

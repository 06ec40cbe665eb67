"""
What a staff person's session keeps while he looks in another's place: the id of the row.

He stays signed in as himself, so nothing of his sign-in has to be kept or brought back. The
session gets another key at both ends all the same, so that one that somebody planted or saw
before opens nothing after.
"""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import SessionBase

from apps.rbac.models import Impersonation

KEY = "impersonation"  # session key


def begin(*, session: SessionBase, impersonation: Impersonation) -> None:
    """Keep it in the session of the staff person."""
    session[KEY] = str(impersonation.pk)
    _renew_key(session)


def finish(*, session: SessionBase) -> None:
    """Forget it."""
    session.pop(KEY, None)
    _renew_key(session)


def _renew_key(session: SessionBase) -> None:
    """Give the session another key; the list of a person's sessions names it by key."""
    before = session.session_key
    session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=session.session_key)

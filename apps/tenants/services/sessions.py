"""End sessions, and note which are in use."""

from collections.abc import MutableMapping
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from apps.tenants import selectors
from apps.tenants.models import User
from apps.tenants.services import audit

SEEN_AT = "seen_at"  # session key: seconds since 1970 when it was noted last; set at sign-in


@transaction.atomic
def end_session(*, user: User, session: Any) -> None:
    """Sign the person out of one of his sessions: the next request from there is anonymous."""
    _end([session])
    audit.record(
        action="session.end",
        object_id=user.public_id,
        before={"ip": session.ip, "browser": session.user_agent},
    )


@transaction.atomic
def end_other_sessions(*, user: User, keep: str | None, reason: str) -> int:
    """Sign the person out everywhere but in the session with the key `keep`; return how many."""
    others = UserSession.objects.filter(user=user).exclude(session_key=keep or "")
    ended = _end(list(others))
    if ended:
        audit.record(
            action="session.end_others",
            object_id=user.public_id,
            before={"sessions": ended},
            reason=reason,
        )
    return ended


def note_seen(*, session_key: str, ip_address: str, user_agent: str) -> None:
    """Keep when and from where a session was used."""
    UserSession.objects.filter(session_key=session_key).update(
        last_seen_at=timezone.now(), ip=ip_address, user_agent=user_agent
    )


def note_second_factor(*, session: MutableMapping[str, Any], user: User) -> None:
    """Remember in the session that the person has shown a second factor."""
    session[selectors.SHOWN_BY] = str(user.pk)


def _end(sessions: list[Any]) -> int:
    """Delete these sessions and their rows in the list; return how many were alive."""
    keys = [one.session_key for one in sessions]
    UserSession.objects.filter(session_key__in=keys).delete()
    ended, _ = Session.objects.filter(session_key__in=keys).delete()
    return ended

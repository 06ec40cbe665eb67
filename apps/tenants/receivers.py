"""What tenants does when allauth tells of a sign-in, a password or a second factor."""

import time
from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from apps.core import personal
from apps.tenants.models import User
from apps.tenants.selectors import person
from apps.tenants.services import audit, people, sessions


@receiver(account.user_logged_in)
def begin_to_note(request: HttpRequest, **kwargs: Any) -> None:
    """Note from now on when this session is used."""
    request.session[sessions.SEEN_AT] = int(time.time())


@receiver([mfa.authenticator_added, mfa.authenticator_used])
def remember_factor(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Whoever has set up a factor, or used one, has shown it."""
    sessions.note_second_factor(session=request.session, user=user)


@receiver(mfa.authenticator_added)
def record_added(user: User, authenticator: Any, **kwargs: Any) -> None:
    """Write down that a factor was set up, never its secret."""
    _record("second_factor.add", user, after={"type": str(authenticator.type)})


@receiver(mfa.authenticator_reset)
def record_reset(user: User, authenticator: Any, **kwargs: Any) -> None:
    """Write down that recovery codes were replaced."""
    _record("second_factor.reset", user, after={"type": str(authenticator.type)})


@receiver(mfa.authenticator_removed)
def record_removed(user: User, authenticator: Any, **kwargs: Any) -> None:
    """Write down that a factor was removed."""
    _record("second_factor.remove", user, before={"type": str(authenticator.type)})


@receiver([account.password_changed, account.password_set, account.password_reset])
def end_what_the_old_password_opened(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Write down that the password is another one, and end all sessions but this one."""
    keep = request.session.session_key if request.user == user else None
    people.note_new_password(user=user, keep=keep)


@receiver(account.email_changed)
def record_address(user: User, **kwargs: Any) -> None:
    """Write down that notices go to another address from now on."""
    _record("user.email", user)


@transaction.atomic
def _record(action: str, user: User, **facts: Any) -> None:
    audit.record(action=action, object_id=user.public_id, **facts)


personal.register("account", person.account_of)
personal.register("addresses", person.addresses_of)
personal.register("second_factors", person.factors_of)
personal.register("sessions", person.sessions_of)
personal.register("back_office", person.edits_of)
personal.register("what_you_did", person.deeds_of)

"""Sign people up, and change what they tell about themselves."""

from collections.abc import Callable

from django.db import IntegrityError, transaction
from psycopg import errors as postgres

from apps.core import context
from apps.tenants.errors import EmailTaken
from apps.tenants.models import User
from apps.tenants.services import audit, sessions
from apps.tenants.services.organizations import create_organization

NAME_LENGTH = 100  # of an organization


def sign_up(*, create_user: Callable[[], User], organization_name: str = "") -> User:
    """
    Create a person and his organization, both or neither.

    `create_user` saves the person with his address and password. Who names no organization
    gets a personal one with his own name.

    :raises EmailTaken: if a twin of this request was faster.
    """
    try:
        with transaction.atomic():
            user = create_user()
            with context.acting(actor=f"user:{user.public_id}"):
                create_organization(
                    name=organization_name or user.get_full_name()[:NAME_LENGTH],
                    owner=user,
                    is_personal=not organization_name,
                )
            return user
    except IntegrityError as error:
        # Only the person's address can be taken here: slugs are tried until one is free.
        if not isinstance(error.__cause__, postgres.UniqueViolation):
            raise
        raise EmailTaken from error


@transaction.atomic
def update_profile(*, user: User, full_name: str, avatar_url: str, time_zone: str) -> User:
    """Change how a person is shown, and the time zone in which he reads dates."""
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    fields = {"full_name": full_name, "avatar_url": avatar_url, "time_zone": time_zone}
    before = {name: getattr(locked, name) for name in fields}
    if before == fields:
        return locked
    for name, value in fields.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(fields))
    audit.record(action="user.update", object_id=locked.public_id, before=before, after=fields)
    return locked


@transaction.atomic
def note_new_password(*, user: User, keep: str | None, reason: str = "") -> None:
    """Write down that the password is another one, and end all sessions but that with the key."""
    audit.record(action="user.password", object_id=user.public_id, reason=reason)
    sessions.end_other_sessions(user=user, keep=keep, reason="password changed")

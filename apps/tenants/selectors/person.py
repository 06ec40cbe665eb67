"""Read all that tenants keeps of a person, for himself: never a secret."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.db.models import Q

from apps.tenants.models import AuditLog, User
from apps.tenants.selectors.audit import in_chunks

Rows = Iterable[Mapping[str, Any]]


def account_of(user: User) -> Rows:
    """Return the person's own row."""
    found: Rows = User.objects.filter(pk=user.pk).values(
        *("id", "email", "full_name", "avatar_url", "time_zone"),
        *("created_at", "last_login", "is_staff"),
    )
    return found


def addresses_of(user: User) -> Rows:
    """Return his e-mail addresses."""
    found: Rows = EmailAddress.objects.filter(user=user).values("email", "verified", "primary")
    return found


def factors_of(user: User) -> Rows:
    """Return which second factors he has, and when he used them."""
    found: Rows = Authenticator.objects.filter(user=user).values(
        "type", "created_at", "last_used_at"
    )
    return found


def sessions_of(user: User) -> Rows:
    """Return where he signed in."""
    found: Rows = UserSession.objects.filter(user=user).values(
        "ip", "user_agent", "created_at", "last_seen_at"
    )
    return found


def edits_of(user: User) -> Rows:
    """Return what the back office's history says that he did; what it names is others'."""
    found: Rows = LogEntry.objects.filter(user=user).values(
        "action_time", "action_flag", "content_type__model", "object_id"
    )
    return found


def deeds_of(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield what the audit log says that he did, or was done in his place; newest first."""
    name = f"user:{user.public_id}"
    mine = AuditLog.objects.filter(Q(actor=name) | Q(acting_as=name))
    for row in in_chunks(mine.select_related("organization")):
        yield {
            "id": row.public_id,
            "at": row.created_at,
            "action": row.action,
            "organization": row.organization.slug if row.organization else None,
            "object": row.object_id,
            "result": row.result,
            "before": row.before,
            "after": row.after,
            "ip_address": row.ip_address,
            "user_agent": row.user_agent,
        }

"""Warn the maker of an API key, and the owners, 7 days and 1 day before it ends."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.mail import Letter, Queue
from apps.rbac.models import ApiKey
from apps.rbac.selectors import owners_of, with_makers

DAYS = (7, 1)  # before a key's end, the longest first


def next_warning(expires_at: datetime | None, now: datetime) -> datetime | None:
    """
    Return when the next warning of this end is due; None if there is none any more.

    Only one that is ahead still: nobody is warned of what he was just given.
    """
    if expires_at is None:
        return None
    dues = (expires_at - timedelta(days=days) for days in DAYS)
    return next((due for due in dues if due > now), None)


def _letters(rows: list[ApiKey]) -> list[Letter]:
    """Tell of a key that works; a revoked one waits for no mail."""
    (key,) = rows
    now = database_now()
    if key.expires_at is None or key.expires_at <= now:
        return []
    is_used = key.created_by.is_active and getattr(key, "is_maker_here")  # noqa: B009  annotated
    if not is_used or not key.organization.is_active:
        return []
    owners = owners_of(key.organization).values_list("email", flat=True)
    path = reverse("rbac:keys", args=[key.organization.slug])
    content = {
        "key": key,
        "organization": key.organization,
        "days": _nearest(key.expires_at, now),
        "url": f"{settings.BASE_URL}{path}",
    }
    to = list(dict.fromkeys([key.created_by.email, *owners]))
    return [Letter("emails/rbac/key_expiry", to, content)]


def _nearest(expires_at: datetime, now: datetime) -> int:
    passed = (days for days in DAYS if expires_at <= now + timedelta(days=days))
    return min(passed, default=max(DAYS))


def _after(key: ApiKey) -> dict[str, Any]:
    """Let the key wait for its next warning, which has attempts of its own."""
    due = next_warning(key.expires_at, database_now())
    return {"mail_due_at": due, **({"mail_attempts": 0} if due else {})}


QUEUE = Queue(
    name="key_expiry",
    rows=lambda: with_makers(ApiKey.objects.select_related("organization", "created_by")),
    letters=_letters,
    after=_after,
)

"""Give an API key a new secret, while the old one works on for a chosen time."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from apps.core.clock import database_now
from apps.rbac.errors import (
    ExpiryInThePast,
    KeyAllowsMore,
    KeyEnded,
    KeyRotatedMeanwhile,
    KeyRotationRuns,
    OverlapTooLong,
)
from apps.rbac.models import ApiKey
from apps.rbac.permissions import BY_CODE
from apps.rbac.selectors import api_keys_of, permissions_of
from apps.rbac.services import tokens
from apps.rbac.services.key_warnings import next_warning
from apps.tenants.models import Organization, User
from apps.tenants.services import audit

LONGEST_OVERLAP = timedelta(days=7)


class Keep:
    """Stands for the expiry that the key has already."""


KEEP: Final = Keep()


@transaction.atomic
def rotate_key(
    *,
    key: ApiKey,
    user: User,
    old_until: datetime | None = None,
    expires_at: datetime | Keep | None = KEEP,
    hint: str = "",
) -> tuple[ApiKey, str]:
    """
    Give a key a new secret and return both; the secret cannot be shown again.

    The old secret works until `old_until` (None: it stops at once), and never longer than
    the key did. `hint` is that of the secret which the caller means to replace; without it,
    the one that `key` had when it was read. Rotated again before the new secret was ever
    used, as when its answer was lost, the key keeps the old secret and gets another new one.

    :raises KeyRotatedMeanwhile: if it has another secret by now.
    :raises KeyEnded: if it is revoked or expired, or stopped with its maker.
    :raises KeyAllowsMore: if it may do something here that the person may not.
    :raises KeyRotationRuns: if the old secret works still and the new one is in use.
    :raises OverlapTooLong: if the old secret would work for more than a week.
    :raises ExpiryInThePast: if the key would have ended already.
    """
    locked = _lock(key)
    now = database_now()
    if locked.hint != (hint or key.hint):
        raise KeyRotatedMeanwhile(hint=locked.hint)
    if locked.status not in (ApiKey.Status.ACTIVE, ApiKey.Status.EXPIRING):
        raise KeyEnded(key_status=locked.status.value)
    _check_reach(locked, user)
    end = locked.expires_at if isinstance(expires_at, Keep) else expires_at
    if end is not None and end <= now:
        raise ExpiryInThePast
    until = _end_of_old(locked, old_until, end, now)
    before = {"hint": locked.hint, "expires_at": _iso(locked.expires_at)}
    token = tokens.new_token(is_live=locked.is_live)
    _keep_old(locked, until, now)
    locked.digest, locked.hint = tokens.digest_of(token), tokens.hint_of(token)
    if end != locked.expires_at:
        locked.mail_due_at, locked.mail_attempts = next_warning(end, now), 0
    locked.expires_at, locked.rotated_at, locked.last_used_at = end, now, None
    locked.save()
    after = {"hint": locked.hint, "expires_at": _iso(end), "old_secret_until": _iso(until)}
    _record(locked, "api_key.rotate", before=before, after=after)
    return locked, token


@transaction.atomic
def end_old_secret(*, key: ApiKey) -> ApiKey:
    """Stop the secret before the last rotation at once; nothing happens where there is none."""
    locked = _lock(key)
    if not locked.has_old_secret:
        return locked
    before = {"old_secret": locked.previous_hint, "old_secret_until": _iso(locked.previous_until)}
    _keep_old(locked, None, database_now())
    locked.save()
    _record(locked, "api_key.end_old_secret", before=before)
    return locked


def _lock(key: ApiKey) -> ApiKey:
    # With an outer query's annotation, so that `status` knows whether the maker is still here.
    organization = Organization.objects.get(pk=key.organization_id)
    rows = api_keys_of(organization).select_for_update(of=("self",), no_key=True)
    return rows.get(pk=key.pk)


def _check_reach(key: ApiKey, user: User) -> None:
    """Refuse to tell a person a secret that may do what he may not; it acts as its maker."""
    mine = permissions_of(user, key.organization)
    for code in sorted(permissions_of(key.created_by, key.organization) - mine):
        if BY_CODE[code].scope in key.scopes:
            raise KeyAllowsMore(permission=code)


def _end_of_old(
    key: ApiKey, asked: datetime | None, expires_at: datetime | None, now: datetime
) -> datetime | None:
    """Return until when the old secret works; None if it stops at once."""
    if key.has_old_secret and key.last_used_at is not None:
        assert key.previous_until is not None
        raise KeyRotationRuns(works_until=key.previous_until.isoformat(timespec="minutes"))
    if asked is None or asked <= now:
        return None
    if asked > now + LONGEST_OVERLAP:
        raise OverlapTooLong(days=LONGEST_OVERLAP.days)
    ends = [asked, expires_at, key.expires_at, key.previous_until if key.has_old_secret else None]
    return min(filter(None, ends))


def _keep_old(key: ApiKey, until: datetime | None, now: datetime) -> None:
    """Keep the secret that programs still use, or none; a new one that nobody used goes."""
    if until is None:
        key.previous_digest, key.previous_hint, key.previous_until = None, "", None
        key.previous_used_at = key.last_use
        return
    if not key.has_old_secret:
        key.previous_digest, key.previous_hint = key.digest, key.hint
        key.previous_used_at = key.last_use
    key.previous_until = until


def _record(
    key: ApiKey,
    action: str,
    *,
    before: dict[str, str | None],
    after: dict[str, str | None] | None = None,
) -> None:
    audit.record(
        action=action,
        organization=key.organization,
        object_id=key.public_id,
        before=before,
        after=after,
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None

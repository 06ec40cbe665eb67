"""
Warn the maker of an API key, and the owners, 7 days and 1 day before it ends.

A key is claimed in a short transaction, the mail goes out after its commit, and then the
key says of how many days it warned. Delivery is at least once: the claim of a worker that
died ends, and another takes the key over.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.core.mail import send_mail
from apps.rbac.models import ApiKey
from apps.rbac.selectors import members_with, with_makers

logger = structlog.get_logger(__name__)
DAYS = (7, 1)  # before a key's end, the longest first
LEASE = timedelta(minutes=15)  # longer than any mail server takes
OWNERS = "organization.close"  # what owners alone may


@dataclass(frozen=True)
class Round:
    """What one round did; `has_more` says that another one is worth it."""

    mails: int
    failed: int
    has_more: bool


@outside_transaction
def warn_of_key_expiry(*, limit: int = 100) -> Round:
    """
    Send what is due for up to `limit` keys. Safe to repeat, and from several workers at once.

    A mail that fails is tried again when its claim ends, for as long as the key works.
    """
    claims = _claim(limit)
    sent = [_deliver(key, until) for key, until in claims]
    return Round(sent.count(True), sent.count(False), has_more=len(claims) == limit)


@transaction.atomic
def _claim(limit: int) -> list[tuple[ApiKey, datetime]]:
    now = database_now()
    free = Q(warning_claimed_until=None) | Q(warning_claimed_until__lte=now)
    due = _due(now).filter(free).order_by("expires_at", "id")
    found = list(due.select_for_update(skip_locked=True, of=("self",), no_key=True)[:limit])
    until = now + LEASE
    ApiKey.objects.filter(pk__in=[key.pk for key in found]).update(warning_claimed_until=until)
    return [(key, until) for key in found]


def _due(now: datetime) -> QuerySet[ApiKey]:
    """
    Return the keys that work and have passed a threshold of which nobody was warned.

    Only of one that they lived through: nobody is warned of what he was just given.
    """
    passed = Q()
    for days in DAYS:
        ahead = timedelta(days=days)
        untold = Q(warned_days=None) | Q(warned_days__gt=days)
        lived = Q(created_at__lt=F("expires_at") - ahead)
        passed |= untold & lived & Q(expires_at__lte=now + ahead)
    return with_makers(ApiKey.objects.all()).filter(
        passed,
        Q(is_maker_here=True),
        expires_at__gt=now,
        revoked_at=None,
        created_by__is_active=True,
        organization__is_active=True,
    )


def _deliver(key: ApiKey, until: datetime) -> bool | None:
    """Send one key's mail; return None if there is nothing to send any more."""
    now = database_now()
    claimed = _due(now).filter(pk=key.pk, warning_claimed_until=until)
    current = claimed.select_related("organization", "created_by").first()
    if current is None:
        return None
    assert current.expires_at is not None
    owners = members_with(current.organization, OWNERS).values_list("email", flat=True)
    path = reverse("rbac:keys", args=[current.organization.slug])
    content = {
        "key": current,
        "organization": current.organization,
        "days": _nearest(current.expires_at, now),
        "url": f"{settings.BASE_URL}{path}",
    }
    to = list(dict.fromkeys([current.created_by.email, *owners]))
    try:
        send_mail(template="emails/rbac/key_expiry", to=to, context=content)
    except Exception:  # one key's mail must not keep those of others
        logger.exception("key_warning_failed", key=current.public_id)
        return False
    ApiKey.objects.filter(pk=key.pk, warning_claimed_until=until).update(
        warned_days=content["days"], warning_claimed_until=None
    )
    return True


def _nearest(expires_at: datetime, now: datetime) -> int:
    return min(days for days in DAYS if expires_at <= now + timedelta(days=days))

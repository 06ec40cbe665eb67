"""
Warn an organization 30, 7 and 1 day before its credits expire, once each for every lot.

The rows are the queue. A row is written and claimed in a short transaction, the mail goes
out after its commit, and then the row is closed as sent. Delivery is at least once: a
worker that dies between the mail server's yes and that last write leaves a claim, which
another takes over when its lease ends. Once a row says sent, nobody sends it again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from apps.core import ids
from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.core.mail import send_mail
from apps.credits.models import ExpiryWarning
from apps.rbac.selectors import members_with
from apps.tenants.models import Organization

logger = structlog.get_logger(__name__)
DAYS = (30, 7, 1)  # before a lot's end
LEASE = timedelta(minutes=15)  # longer than any mail server takes
CONTACTS = "billing.manage"  # whoever may do something about it


@dataclass(frozen=True)
class Round:
    """What one round did; `has_more` says that another one is worth it."""

    mails: int
    failed: int
    has_more: bool


@outside_transaction
def warn_of_expiry(*, limit: int = 100) -> Round:
    """
    Send what is due for up to `limit` lots, one mail for each organization.

    Safe to repeat, and from several workers at once. A mail that fails stays claimed and
    is tried again when its lease has run out, for as long as the warning is true.
    """
    claims, has_more = _claim(limit)
    sent = [_deliver(claim) for claim in claims]
    return Round(mails=sent.count(True), failed=sent.count(False), has_more=has_more)


def nearest_due(expires_at: datetime | None, now: datetime) -> int | None:
    """Return the nearest threshold, in days, that a lot has passed; None outside of all."""
    if expires_at is None or expires_at <= now:
        return None
    passed = [days for days in DAYS if expires_at - timedelta(days=days) <= now]
    return min(passed, default=None)


@transaction.atomic
def _claim(limit: int) -> tuple[list[UUID], bool]:
    """Write the warnings that are due and take over those that were left; one claim a mail."""
    now = database_now()
    left = list(
        ExpiryWarning.objects.select_for_update(skip_locked=True)
        .filter(status=ExpiryWarning.Status.CLAIMED, locked_until__lte=now)
        .order_by("id")[:limit]
    )
    due = _due(now, limit)
    claims = {one.organization_id: ids.new_id() for one in (*left, *due)}
    for one in (*left, *due):
        one.claim, one.locked_until = claims[one.organization_id], now + LEASE
    ExpiryWarning.objects.bulk_update(left, ["claim", "locked_until"])
    # In the order of their lots, so that two workers never wait for each other in a circle.
    ExpiryWarning.objects.bulk_create(due, ignore_conflicts=True)
    return list(claims.values()), limit in (len(left), len(due))


def _due(now: datetime, limit: int) -> list[ExpiryWarning]:
    """
    Return the warnings that are due and not written yet, not saved.

    Only the nearest threshold counts, so a missed day is not made up for; and only one
    that the lot has lived through, so that nobody is warned of what he was just given.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT lot.id, lot.organization_id, nearest.days, lot.remaining
              FROM credits_lot lot
              JOIN credits_wallet wallet ON wallet.id = lot.wallet_id
              JOIN tenants_organization organization ON organization.id = lot.organization_id
             CROSS JOIN LATERAL (
                   SELECT min(days) AS days FROM unnest(%(days)s::int[]) AS days
                    WHERE lot.expires_at - make_interval(hours => 24 * days) <= %(now)s) nearest
             CROSS JOIN LATERAL (
                   SELECT entry.created_at FROM credits_credittransaction entry
                    WHERE entry.lot_id = lot.id ORDER BY entry.sequence LIMIT 1) granted
             WHERE lot.has_credits AND lot.remaining > 0 AND lot.frozen_at IS NULL
               AND lot.expires_at > %(now)s
               AND lot.expires_at <= %(now)s + make_interval(hours => 24 * %(longest)s)
               AND greatest(lot.effective_at, granted.created_at)
                   < lot.expires_at - make_interval(hours => 24 * nearest.days)
               AND wallet.closed_at IS NULL AND organization.is_active
               AND NOT EXISTS (SELECT FROM credits_expirywarning warning
                                WHERE warning.lot_id = lot.id AND warning.days = nearest.days)
             ORDER BY lot.id LIMIT %(limit)s
            """,
            {"now": now, "days": list(DAYS), "longest": max(DAYS), "limit": limit},
        )
        return [
            ExpiryWarning(lot_id=lot_id, organization_id=organization_id, days=days, amount=amount)
            for lot_id, organization_id, days, amount in cursor.fetchall()
        ]


def _deliver(claim: UUID) -> bool | None:
    """Send the mail of one claim; return None if there is nothing to send any more."""
    warnings = _hold(claim)
    if not warnings:
        return None
    organization = warnings[0].organization
    to = recipients(organization)
    if not to:
        logger.warning("expiry_warning_has_no_reader", organization=organization.public_id)
        _end(warnings, ExpiryWarning.Status.DROPPED)
        return None
    try:
        send_mail(template="emails/credits/expiry", to=to, context=_content(warnings))
    except Exception:  # one organization's mail must not keep those of others
        logger.exception("expiry_warning_failed", organization=organization.public_id)
        return False
    _end(warnings, ExpiryWarning.Status.SENT)
    return True


@transaction.atomic
def _hold(claim: UUID) -> list[ExpiryWarning]:
    """Return the claim's warnings that are still true, if it is still ours; drop the others."""
    now = database_now()
    found = (
        ExpiryWarning.objects.select_for_update(of=("self",))
        .select_related("lot", "organization")
        .filter(claim=claim, status=ExpiryWarning.Status.CLAIMED)
        .order_by("lot__expires_at", "lot_id")
    )
    warnings = list(found)
    true = [one for one in warnings if one.lot.remaining > 0 and _is_nearest(one, now)]
    _end([one for one in warnings if one not in true], ExpiryWarning.Status.DROPPED)
    for one in true:
        one.amount = one.lot.remaining
        one.attempts += 1
        one.locked_until = now + LEASE
    ExpiryWarning.objects.bulk_update(true, ["amount", "attempts", "locked_until"])
    return true


def _is_nearest(warning: ExpiryWarning, now: datetime) -> bool:
    return nearest_due(warning.lot.expires_at, now) == warning.days


def _end(warnings: Iterable[ExpiryWarning], status: ExpiryWarning.Status) -> None:
    """Close warnings for good, whoever holds them by now: what was sent was sent."""
    sent_at = database_now() if status == ExpiryWarning.Status.SENT else None
    ExpiryWarning.objects.filter(
        pk__in=[one.pk for one in warnings], status=ExpiryWarning.Status.CLAIMED
    ).update(status=status, sent_at=sent_at)


def recipients(organization: Organization) -> list[str]:
    """Return the addresses of those who manage its billing, and the one for invoices."""
    people = members_with(organization, CONTACTS).values_list("email", flat=True)
    return list(dict.fromkeys([*people, *filter(None, [organization.billing_email])]))


def _content(warnings: Sequence[ExpiryWarning]) -> dict[str, Any]:
    """Return what the mail says: what is lost when, soonest first."""
    organization = warnings[0].organization
    path = reverse("credits:overview", args=[organization.slug])
    return {
        "organization": organization,
        "warnings": warnings,
        "amount": sum(one.amount for one in warnings),
        "days": max(one.days for one in warnings),
        "url": f"{settings.BASE_URL}{path}",
    }

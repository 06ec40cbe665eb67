"""
Warn an organization 30, 7 and 1 day before its credits expire, once each for every lot.

A round writes a row for each lot that has passed a threshold, and then sends the rows that
wait, one mail for each organization. The unique key of the rows is what keeps two workers,
and two rounds, from writing the same twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.mail import Letter, Queue
from apps.credits.models import ExpiryWarning
from apps.rbac.selectors import members_with
from apps.tenants.models import Organization

DAYS = (30, 7, 1)  # before a lot's end
CONTACTS = "billing.manage"  # whoever may do something about it


def nearest_due(expires_at: datetime | None, now: datetime) -> int | None:
    """Return the nearest threshold, in days, that a lot has passed; None outside of all."""
    if expires_at is None or expires_at <= now:
        return None
    passed = [days for days in DAYS if expires_at - timedelta(days=days) <= now]
    return min(passed, default=None)


@transaction.atomic
def write_warnings(limit: int = 1000, organization_id: UUID | None = None) -> int:
    """
    Write up to so many of the warnings that are due, unless another worker has.

    Those of every organization but sandboxes, where time stands still, or those of the one
    that is named; of no lot that returns, which is not lost. Returns how many were due.
    """
    due = _due(database_now(), limit, organization_id)
    # In the order of their lots, so that two workers never wait for each other in a circle.
    ExpiryWarning.objects.bulk_create(due, ignore_conflicts=True)
    return len(due)


def _due(now: datetime, limit: int, organization_id: UUID | None) -> list[ExpiryWarning]:
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
               AND lot.returns_to_id IS NULL AND lot.expires_at > %(now)s
               AND lot.expires_at <= %(now)s + make_interval(hours => 24 * %(longest)s)
               AND greatest(lot.effective_at, granted.created_at)
                   < lot.expires_at - make_interval(hours => 24 * nearest.days)
               AND wallet.closed_at IS NULL AND organization.is_active
               AND CASE WHEN %(organization)s::uuid IS NULL THEN organization.clock_at IS NULL
                        ELSE lot.organization_id = %(organization)s END
               AND NOT EXISTS (SELECT FROM credits_expirywarning warning
                                WHERE warning.lot_id = lot.id AND warning.days = nearest.days)
             ORDER BY lot.id LIMIT %(limit)s
            """,
            {
                "now": now,
                "days": list(DAYS),
                "longest": max(DAYS),
                "limit": limit,
                "organization": organization_id,
            },
        )
        return [
            ExpiryWarning(
                lot_id=lot_id,
                organization_id=organization_id,
                days=days,
                amount=amount,
                mail_due_at=now,
            )
            for lot_id, organization_id, days, amount in cursor.fetchall()
        ]


def _letters(rows: list[ExpiryWarning]) -> list[Letter]:
    """Tell in one mail of those that are true still, with what is left now; drop the others."""
    now, true = database_now(), []
    for one in rows:
        if one.lot.remaining > 0 and _is_nearest(one, now):
            one.amount = one.lot.remaining
            true.append(one)
        else:
            one.mail_due_at = None
    to = recipients(rows[0].organization)
    if not true or not to:
        return []
    true.sort(key=lambda one: (one.lot.expires_at or now, one.lot_id))
    return [Letter("emails/credits/expiry", to, _content(true))]


def _is_nearest(warning: ExpiryWarning, now: datetime) -> bool:
    return nearest_due(warning.lot.expires_at, now) == warning.days


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


QUEUE = Queue(
    name="credit_expiry",
    rows=lambda: ExpiryWarning.objects.select_related("lot", "organization"),
    letters=_letters,
    batch=lambda row: Q(organization_id=row.organization_id),
    fill=write_warnings,
)

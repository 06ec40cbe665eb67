"""Write down what was denied: in a transaction of its own, and so that nobody can flood it."""

from datetime import timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from apps.core import context, readonly
from apps.core.db import lock_timeout, outside_transaction
from apps.core.errors import Busy
from apps.tenants.models import AuditLog, Organization
from apps.tenants.services import audit

logger = structlog.get_logger(__name__)
WINDOW = timedelta(hours=1)
MOST_OF_ACTOR = 60  # rows in a window
MOST_OF_ORGANIZATION = 600  # rows in a window; an actor can make keys, which are actors
SAME_WITHIN = timedelta(minutes=1)  # the same denial is written once in this time
LOCK = 0x64656E79  # first key of the advisory lock; the second is the organization
WAIT = 1  # seconds for that lock
LAST_OF_ACTOR = "the last that is written of this actor within the hour"


@outside_transaction
def record_denial(
    *, action: str, organization: Organization | None, object_id: str = "", route: str = ""
) -> AuditLog | None:
    """
    Write that whoever acts was denied something; return None where it is left out.

    `action` is the permission that he lacked. Left out is what was written within the last
    minute already, and what goes beyond the most that is written in an hour: the log shows
    that somebody tries, not how often.
    """
    row: dict[str, Any] = {
        "action": action,
        "organization": organization,
        "object_id": object_id,
    }
    # Asked before the lock as well: a flood should cost one query for each request.
    if _reason_to_write(route, **row) is None:
        return None
    try:
        with readonly.lifted(), transaction.atomic(), lock_timeout(WAIT):
            _lock(organization)
            reason = _reason_to_write(route, **row)
            if reason is None:
                return None
            return audit.record(**row, result=AuditLog.Result.DENIED, reason=reason)
    except Busy:
        logger.warning("denial_not_written", action=action, route=route)
        return None


def _lock(organization: Organization | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))",
            [LOCK, str(organization.pk if organization else "")],
        )


def _reason_to_write(
    route: str, *, action: str, organization: Organization | None, object_id: str
) -> str | None:
    """Return the words of the row: the route, and that it is the last; None to leave it out."""
    actor = context.current().actor
    same = Q(
        actor=actor,
        action=action,
        object_id=object_id,
        reason__startswith=route,
        created_at__gt=Now() - SAME_WITHIN,
    )
    rows = AuditLog.objects.across_organizations("of this one, or of none")
    recent = rows.filter(
        organization=organization, result=AuditLog.Result.DENIED, created_at__gt=Now() - WINDOW
    ).aggregate(all=Count("id"), own=Count("id", Q(actor=actor)), same=Count("id", same))
    if recent["same"] or recent["own"] >= MOST_OF_ACTOR or recent["all"] >= MOST_OF_ORGANIZATION:
        return None
    return f"{route}: {LAST_OF_ACTOR}" if recent["own"] == MOST_OF_ACTOR - 1 else route

"""Copy what Stripe told into dj-stripe's tables: beside money, and never in its way."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F

from apps.billing.gateway.client import is_configured
from apps.billing.gateway.mirror import mirror_event
from apps.billing.models import WebhookEvent
from apps.core.clock import database_now

logger = structlog.get_logger(__name__)
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 6
LONGEST_ERROR = 2000  # characters


def mirror_due(*, limit: int = 50) -> int:
    """
    Mirror up to `limit` events that were not yet; return how many were tried.

    Safe from several workers at once. What fails is tried again later, six times; then it is
    shown as failed, and everything else goes on.
    """
    if not is_configured():
        return 0
    claimed = _claim(limit)
    for event_id in claimed:
        _mirror(WebhookEvent.objects.get(pk=event_id))
    return len(claimed)


@transaction.atomic
def _claim(limit: int) -> list[UUID]:
    now = database_now()
    due = WebhookEvent.objects.filter(
        mirror_status=WebhookEvent.MirrorStatus.PENDING, mirror_due_at__lte=now
    ).order_by("mirror_due_at", "told_at")
    rows = due.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
    claimed = list(rows[:limit])
    WebhookEvent.objects.filter(pk__in=claimed).update(
        mirror_due_at=now + LEASE, mirror_attempts=F("mirror_attempts") + 1
    )
    return claimed


def _mirror(event: WebhookEvent) -> None:
    changes: dict[str, object] = {"mirror_error": ""}
    try:
        mirror_event(event.payload)
        changes |= {"mirror_status": WebhookEvent.MirrorStatus.MIRRORED, "mirror_due_at": None}
    except Exception as error:
        logger.warning("stripe_mirror_failed", event_id=event.event_id, exc_info=True)
        changes["mirror_error"] = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
        if event.mirror_attempts >= MOST_ATTEMPTS:
            changes |= {"mirror_status": WebhookEvent.MirrorStatus.FAILED, "mirror_due_at": None}
    WebhookEvent.objects.filter(pk=event.pk).update(**changes)

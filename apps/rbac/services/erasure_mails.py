"""
Mail to a person whose erasure was asked for: he may not be the one who asked.

The rows are the queue. A row is claimed by moving `mail_due_at` on, the mail goes out
after that commit, and then the row is cleared. Delivery is at least once.
"""

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.core.mail import send_mail
from apps.rbac.models import Erasure

logger = structlog.get_logger(__name__)
LEASE = timedelta(minutes=15)  # longer than any mail server takes


@outside_transaction
def mail_erasures(*, limit: int = 100) -> int:
    """
    Send what is due, and return how many mails went out.

    Safe to repeat, and from several workers at once. What fails is tried again later.
    """
    return sum(_deliver(row_id) for row_id in _claim(limit))


@transaction.atomic
def _claim(limit: int) -> list[UUID]:
    now = database_now()
    due = Erasure.objects.select_for_update(skip_locked=True, no_key=True).filter(
        mail_due_at__lte=now
    )
    claimed = [row.pk for row in due.order_by("mail_due_at")[:limit]]
    Erasure.objects.filter(pk__in=claimed).update(mail_due_at=now + LEASE)
    return claimed


def _deliver(row_id: UUID) -> bool:
    row = Erasure.objects.select_related("user").get(pk=row_id)
    is_pending = row.status == Erasure.Status.PENDING
    if is_pending:
        try:
            send_mail(
                template="emails/rbac/erasure",
                to=[row.user.email],
                context={"erasure": row, "url": f"{settings.BASE_URL}{reverse('privacy')}"},
            )
        except Exception:  # one mail must not keep the others
            logger.exception("erasure_mail_failed", erasure=row.public_id)
            return False
    Erasure.objects.filter(pk=row.pk).update(mail_due_at=None)
    return is_pending

"""
Mail about staff who look in a member's place: to him, and to the owners.

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
from apps.rbac.models import Impersonation
from apps.rbac.selectors import owners_of

logger = structlog.get_logger(__name__)
LEASE = timedelta(minutes=15)  # longer than any mail server takes
GIVEN_UP_AFTER = timedelta(days=7)


@outside_transaction
def mail_impersonations(*, limit: int = 100) -> int:
    """
    Send what is due, and return how many mails went out.

    Safe to repeat, and from several workers at once. What fails is tried again later.
    """
    return sum(_deliver(row_id) for row_id in _claim(limit))


@transaction.atomic
def _claim(limit: int) -> list[UUID]:
    now = database_now()
    due = Impersonation.objects.select_for_update(skip_locked=True, no_key=True).filter(
        mail_due_at__lte=now
    )
    claimed = [row.pk for row in due.order_by("mail_due_at")[:limit]]
    Impersonation.objects.filter(pk__in=claimed).update(mail_due_at=now + LEASE)
    return claimed


def _deliver(row_id: UUID) -> bool:
    """Tell each of them by a mail of his own, so that none learns another's address."""
    row = Impersonation.objects.select_related("organization", "staff_user", "user").get(pk=row_id)
    is_late = database_now() - row.started_at > GIVEN_UP_AFTER
    people = {row.user, *owners_of(row.organization)} if not is_late else set()
    path = reverse("rbac:impersonations", args=[row.organization.slug])
    for person in sorted(people, key=lambda one: one.email):
        try:
            send_mail(
                template="emails/rbac/impersonation",
                to=[person.email],
                context={
                    "impersonation": row,
                    "organization": row.organization,
                    "person": person,
                    "url": f"{settings.BASE_URL}{path}",
                },
            )
        except Exception:  # one mail must not keep the others
            logger.exception("impersonation_mail_failed", impersonation=row.public_id)
            return False
    Impersonation.objects.filter(pk=row.pk).update(mail_due_at=None)
    return bool(people)

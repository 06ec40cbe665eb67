"""
Mail about ownership: the offer to the one who may accept, the answer to the one who asked.

The rows are the queue. A row is claimed by moving `mail_due_at` on, the mail goes out
after that commit, and then the row is cleared. Delivery is at least once.
"""

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.core.mail import claim_mails, send_mail
from apps.rbac.models import OwnershipTransfer

logger = structlog.get_logger(__name__)
GIVEN_UP_AFTER = timedelta(days=7)


@outside_transaction
def mail_transfers(*, limit: int = 100) -> int:
    """
    Send what is due, and return how many mails went out.

    Safe to repeat, and from several workers at once. What fails is tried again later.
    """
    claims = claim_mails(OwnershipTransfer.objects.all(), limit=limit)
    return sum(_deliver(claim.pk) for claim in claims)


def _deliver(transfer_id: UUID) -> bool:
    """Send the mail that the offer needs as it stands now."""
    transfer = OwnershipTransfer.objects.select_related("organization", "from_user", "to_user").get(
        pk=transfer_id
    )
    is_open = transfer.status == OwnershipTransfer.Status.PENDING
    to = transfer.to_user if is_open else transfer.from_user
    is_late = database_now() - (transfer.ended_at or transfer.created_at) > GIVEN_UP_AFTER
    if not is_late and to.is_active:
        try:
            send_mail(
                template=f"emails/rbac/transfer_{'offer' if is_open else 'answer'}",
                to=[to.email],
                context=_content(transfer),
            )
        except Exception:  # one mail must not keep the others
            logger.exception("transfer_mail_failed", transfer=transfer.public_id)
            return False
    # Only if nobody has answered meanwhile: the answer needs a mail of its own.
    OwnershipTransfer.objects.filter(pk=transfer.pk, status=transfer.status).update(
        mail_due_at=None
    )
    return not is_late and to.is_active


def _content(transfer: OwnershipTransfer) -> dict[str, object]:
    path = reverse("rbac:ownership", args=[transfer.organization.slug])
    return {
        "transfer": transfer,
        "organization": transfer.organization,
        "url": f"{settings.BASE_URL}{path}",
    }

"""Tasks of rbac: rung after a commit, and called by the beat."""

import structlog
from celery import shared_task

from apps.core import context
from apps.rbac.services import (
    impersonation_mails,
    impersonations,
    invitation_mails,
    key_warnings,
    transfer_mails,
)

logger = structlog.get_logger(__name__)
MOST_ROUNDS = 20  # of a hundred or so; the rest waits for the next ring


@shared_task(name="rbac.send_invitations")
def send_invitations() -> None:
    """Send the invitations that are due. Safe to repeat, and at once."""
    with context.acting(actor="system:send_invitations"):
        for _ in range(MOST_ROUNDS):
            done = invitation_mails.send_due_invitations()
            logger.info("invitations_sent", mails=done.sent, failed=done.failed)
            if not done.has_more:
                break


@shared_task(name="rbac.mail_transfers")
def mail_transfers() -> None:
    """Send the mails about ownership that are due. Safe to repeat, and at once."""
    if sent := transfer_mails.mail_transfers():
        logger.info("transfer_mails_sent", mails=sent)


@shared_task(name="rbac.warn_of_key_expiry")
def warn_of_key_expiry() -> None:
    """Mail those whose API keys end soon, once for each threshold. Safe to repeat, and at once."""
    for _ in range(MOST_ROUNDS):
        done = key_warnings.warn_of_key_expiry()
        logger.info("key_expiry_warned", mails=done.mails, failed=done.failed)
        if not done.has_more:
            break


@shared_task(name="rbac.mail_impersonations")
def mail_impersonations() -> None:
    """Tell owners and members when staff look in their place. Safe to repeat, and at once."""
    if sent := impersonation_mails.mail_impersonations():
        logger.info("impersonation_mails_sent", mails=sent)


@shared_task(name="rbac.end_impersonations")
def end_impersonations() -> None:
    """Write down the end of those whose hour is up. Safe to repeat, and at once."""
    with context.acting(actor="system:end_impersonations"):
        if ended := impersonations.end_late_impersonations():
            logger.info("impersonations_ended", count=ended)

"""Tasks of rbac: rung after a commit, and called by the beat."""

import structlog
from celery import shared_task

from apps.core import context
from apps.rbac.services import (
    erasures,
    impersonations,
    personal_exports,
)

logger = structlog.get_logger(__name__)


@shared_task(name="rbac.end_impersonations")
def end_impersonations() -> None:
    """Write down the end of those whose hour is up. Safe to repeat, and at once."""
    with context.acting(actor="system:end_impersonations"):
        if ended := impersonations.end_late_impersonations():
            logger.info("impersonations_ended", count=ended)


@shared_task(name="rbac.erase_people")
def erase_people() -> None:
    """Erase those whose time has come. Safe to repeat, and at once."""
    if erased := erasures.erase_due():
        logger.info("people_erased", count=erased)


@shared_task(name="rbac.make_exports")
def make_exports() -> None:
    """Make the files of personal data that wait, delete the old. Safe to repeat, and at once."""
    with context.acting(actor="system:make_exports"):
        made = personal_exports.make_exports()
        deleted = personal_exports.delete_expired_exports()
    if made or deleted:
        logger.info("personal_exports_made", made=made, deleted=deleted)

"""Tasks of credits: called by the beat."""

import structlog
from celery import shared_task

from apps.core import context
from apps.core.errors import Busy
from apps.credits.services import closing, expiry

logger = structlog.get_logger(__name__)
MOST_SWEEPS = 50  # 10,000 wallets a minute; the rest waits for the next ring


@shared_task(name="credits.sweep_expired_lots")
def sweep_expired_lots() -> None:
    """Expire what is due in idle wallets, batch by batch. Safe to repeat, and at once."""
    for _ in range(MOST_SWEEPS):
        sweep = expiry.sweep_expired_lots()
        logger.info("lots_expired", wallets=sweep.wallets, credits=sweep.credits)
        if not sweep.has_more:
            break


@shared_task(name="credits.close_months")
def close_months() -> None:
    """Close every month that is over. Safe to repeat, and at once; runs every day."""
    with context.acting(actor="system:close_months"):
        try:
            closed = closing.close_due_months()
        except Busy:
            logger.warning("close_months_waits")  # writers did not end in time; the next ring will
            return
        for period in closed:
            logger.info("month_closed", month=str(period), id=period.public_id)

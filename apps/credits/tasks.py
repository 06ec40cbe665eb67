"""Tasks of credits: called by the beat."""

import structlog
from celery import shared_task

from apps.credits.services import expiry

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

"""Tasks of partners: called by the beat."""

from uuid import UUID

import structlog
from celery import shared_task

from apps.core import context
from apps.partners.services import sweeping
from apps.partners.services.uploads import carrying, storing
from apps.partners.services.uploads.confirming import CARRY_OUT

logger = structlog.get_logger(__name__)
MOST_SWEEPS = 20  # 10,000 awards a ring; the rest waits for the next


@shared_task(name="partners.settle_awards")
def settle_awards() -> None:
    """Let what members did not use in time go by the terms. Safe to repeat, and at once."""
    with context.acting(actor="system:settle_awards"):
        for _ in range(MOST_SWEEPS):
            sweep = sweeping.settle_due()
            logger.info("awards_settled", awards=sweep.awards, credits=sweep.credits)
            if not sweep.has_more:
                break


@shared_task(name=CARRY_OUT)
def carry_out_upload(upload_id: str) -> None:
    """Hand credits on by the rows of a confirmed upload. Safe to repeat, and at once."""
    with context.acting(actor="system:carry_out_upload"):
        carrying.carry_out(UUID(upload_id))


@shared_task(name="partners.sweep_uploads")
def sweep_uploads() -> None:
    """Ring again for uploads that wait, and discard what nobody confirmed. Safe to repeat."""
    with context.acting(actor="system:sweep_uploads"):
        rung, discarded = carrying.ring_for_waiting(), storing.discard_forgotten()
    if rung or discarded:
        logger.info("uploads_swept", rung=rung, discarded=discarded)

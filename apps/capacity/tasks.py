"""Tasks of capacity: rung for by the beat, and when blocks come free that somebody waits for."""

from collections.abc import Callable
from uuid import UUID

import structlog
from celery import shared_task

from apps.capacity.services import offering, sharing, sweeping
from apps.core.sweeps import each_for_itself

logger = structlog.get_logger(__name__)
SWEEPS: dict[str, Callable[[], int]] = {
    "expired": sweeping.expire_reservations,
    "ended": sweeping.end_due_allocations,
    "withdrawn": offering.withdraw_the_closed,
    "offered": offering.sweep,
}


@shared_task(name="capacity.sweep_capacity")
def sweep_capacity() -> None:
    """
    End unpaid reservations and allocations whose notice is over, and offer what is free.

    Every minute; repeatable.
    """
    each_for_itself(_sweep, SWEEPS)


def _sweep(name: str) -> int:
    done = SWEEPS[name]()
    logger.info("capacity_swept", **{name: done})
    return done


@shared_task(name="capacity.share_generation")
def share_generation() -> None:
    """Divide and post what was read. Rung for by each reading, and every five minutes."""
    logger.info("generation_shared", readings=sharing.share_due())


@shared_task(name="capacity.offer_blocks")
def offer_blocks(project_id: str) -> None:
    """Offer what has come free of a project to those who wait for it. Repeatable."""
    offered = offering.offer_blocks(UUID(project_id))
    logger.info("capacity_offered", project=project_id, offered=offered)

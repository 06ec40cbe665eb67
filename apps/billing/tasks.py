"""Tasks of billing: rung after an event has come in, and called by the beat."""

import structlog
from celery import shared_task

from apps.billing.services import inbox

logger = structlog.get_logger(__name__)


@shared_task(name="billing.process_events")
def process_events(subject: str) -> None:
    """Handle the events of one subject that are due. Safe to repeat, and at once."""
    inbox.process(subject)


@shared_task(name="billing.sweep_events")
def sweep_events() -> None:
    """Handle what nobody rang for: Redis was away, a worker died, or it is due again."""
    for subject in inbox.due_subjects():
        inbox.process(subject)

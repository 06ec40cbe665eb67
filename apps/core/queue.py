"""The doorbell: ask a worker to look, once the current transaction commits."""

from functools import partial

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)


def enqueue(task_name: str, **kwargs: object) -> None:
    """
    Ring for a task, by name and after commit.

    By name, so that services never import tasks; an unknown name fails here, at
    once. Arguments are ids. When the broker is away the row stays, and the sweep
    rings again (docs/adr/0007), so a failed ring is logged and not raised.
    """
    task = current_app.tasks[task_name]
    transaction.on_commit(partial(_ring, task, kwargs))


def _ring(task: object, kwargs: dict[str, object]) -> None:
    try:
        task.apply_async(kwargs=kwargs, retry=False)  # type: ignore[attr-defined]
    except OperationalError as error:
        logger.warning("doorbell_failed", task=task.name, error=str(error))  # type: ignore[attr-defined]

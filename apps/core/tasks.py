"""Tasks of the core: called by the beat."""

import structlog
from celery import shared_task

from apps.core import idempotency
from apps.core.invariants import verify

logger = structlog.get_logger(__name__)


@shared_task(name="core.prune_idempotency_keys")
def prune_idempotency_keys() -> None:
    """Forget old answers. Safe to repeat."""
    logger.info("idempotency_answers_pruned", count=idempotency.prune_answers())


@shared_task(name="core.verify_invariants")
def verify_invariants() -> None:
    """Run every invariant and log each one that is broken. Runs every hour."""
    for finding in verify():
        if finding.failures:
            logger.error(
                "invariant_broken",
                code=finding.invariant.code,
                examined=finding.examined,
                failures=finding.failures,
                example=finding.example,
            )

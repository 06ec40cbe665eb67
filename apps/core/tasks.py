"""Tasks of the core: called by the beat."""

from time import monotonic

import structlog
from celery import shared_task

from apps.core import chains, context, idempotency, mail
from apps.core.invariants import verify
from apps.core.ratelimits import counters

logger = structlog.get_logger(__name__)
ROUNDS_BEGIN_WITHIN = 60.0  # seconds; the rest waits for the next ring


@shared_task(name="core.send_mails")
def send_mails(queue: str) -> None:
    """
    Send the mails of one queue that are due. Safe to repeat, and at once.

    No round begins late: with a mail server that hangs each mail takes as long as it may, and
    the task has to end before the broker believes its worker dead and hands it out again.
    """
    last_begin = monotonic() + ROUNDS_BEGIN_WITHIN
    has_more = True
    with context.acting(actor="system:send_mails"):
        while has_more and monotonic() < last_begin:
            done = mail.send_due(mail.queues()[queue])
            has_more = done.has_more
            if done.mails or done.failed:
                logger.info("mails_sent", queue=queue, mails=done.mails, failed=done.failed)


@shared_task(name="core.prune_idempotency_keys")
def prune_idempotency_keys() -> None:
    """Forget old answers, and windows of rate limits that are over. Safe to repeat."""
    logger.info("idempotency_answers_pruned", count=idempotency.prune_answers())
    logger.info("rate_limit_counts_pruned", count=counters.prune())


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


@shared_task(name="core.verify_chains")
def verify_chains() -> None:
    """Recompute every hash of every chain, and log each that is broken. Runs every night."""
    examined = rows = 0
    for chain in chains.walk():
        examined, rows = examined + 1, rows + chain.rows
        if chain.fault:
            logger.error(
                "chain_broken",
                chain=chain.name,
                sequence=chain.fault.sequence,
                row=chain.fault.row,
                problem=chain.fault.problem,
            )
    logger.info("chains_verified", chains=examined, rows=rows)

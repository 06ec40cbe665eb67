"""Tasks of billing: rung after an event has come in, and called by the beat."""

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import structlog
from celery import shared_task

from apps.billing.errors import BillingNotConfigured, StripeUnavailable
from apps.billing.services import (
    checkout,
    details_pushing,
    inbox,
    invoice_attempts,
    mirroring,
    polling,
    reconciliation,
    refund_requests,
    reloads,
    reversals,
    sandboxes,
    syncing,
)
from apps.billing.services.subscriptions import (
    abandoning,
    ending,
    own_periods,
    plan_times,
    resuming,
)
from apps.core.sweeps import each_for_itself

logger = structlog.get_logger(__name__)
MOST_ROUNDS = 20  # 1,000 events; the rest waits for the next ring
RING_AGAIN_SECONDS = 2  # while Stripe moves a clock
MOST_RINGS = 30  # until the sweep rings instead


@shared_task(name="billing.process_events")
def process_events(subject: str) -> None:
    """Handle the events of one subject that are due. Safe to repeat, and at once."""
    inbox.process(subject)


@shared_task(name="billing.sweep_events")
def sweep_events() -> None:
    """Handle what nobody rang for: Redis was away, a worker died, or it is due again."""
    for subject in inbox.due_subjects():
        inbox.process(subject)


@shared_task(name="billing.poll_events")
def poll_events(is_whole: bool = False) -> None:
    """Ask Stripe for what no webhook brought. Safe to repeat, and at once."""
    try:
        found = polling.poll(is_whole=is_whole)
    except BillingNotConfigured:
        return
    except StripeUnavailable:
        logger.warning("stripe_poll_waits")  # the next round finds the same gap
        return
    if found:
        logger.warning("stripe_events_missed", events=found, is_whole=is_whole)


@shared_task(name="billing.mirror_events")
def mirror_events() -> None:
    """Copy what Stripe told into dj-stripe's tables. Safe to repeat, and at once."""
    for _ in range(MOST_ROUNDS):
        if not mirroring.mirror_due():
            break


@shared_task(name="billing.sweep_purchases")
def sweep_purchases() -> None:
    """Resume purchases that were begun and not answered, and end those that nobody paid in time."""
    checkout.sweep()


@shared_task(name="billing.end_checkout")
def end_checkout(payment_id: str) -> None:
    """End Stripe's page for what is not to be paid any more. Safe to repeat, and at once."""
    checkout.end_checkout(UUID(payment_id))


@shared_task(name="billing.compare_catalogue")
def compare_catalogue() -> None:
    """Look where Stripe's products and prices are not ours; the back office shows it."""
    try:
        differing = syncing.compare_all()
    except BillingNotConfigured:
        return
    except StripeUnavailable:
        logger.warning("catalogue_not_compared")  # the next night is early enough
        return
    if differing:
        logger.warning("catalogue_differs", plans_and_packs=differing)


@shared_task(name="billing.sweep_refunds")
def sweep_refunds() -> None:
    """Ask again for refunds whose answer got lost, and take back what came back since."""
    each_for_itself(_sweep, (refund_requests.resume_refunds, reversals.take_what_came_back))


@shared_task(name="billing.reconcile")
def reconcile(run_id: str = "") -> None:
    """Compare Stripe, payments and ledger. Safe to repeat, and at once: one runs at a time."""
    try:
        reconciliation.reconcile(UUID(run_id) if run_id else None)
    except BillingNotConfigured:
        return
    except StripeUnavailable:
        logger.warning("reconciliation_failed")  # the run says so; the next night is early enough


@shared_task(name="billing.sweep_subscriptions")
def sweep_subscriptions() -> None:
    """Resume and end what waits, and turn and end plans of our own. Safe to repeat, and at once."""
    sweeps = (own_periods, plan_times, resuming, abandoning, ending, sandboxes)
    each_for_itself(_sweep, (one.sweep for one in sweeps))


@shared_task(name=sandboxes.TASK)
def move_sandbox(sandbox_id: str, ring: int = 1) -> None:
    """Bring a sandbox's clock on its way. Safe to repeat; what it leaves, the sweep rings for."""
    if sandboxes.carry_on(UUID(sandbox_id)) and ring < MOST_RINGS:
        more = {"sandbox_id": sandbox_id, "ring": ring + 1}
        move_sandbox.apply_async(kwargs=more, countdown=RING_AGAIN_SECONDS)


@shared_task(name="billing.sweep_documents")
def sweep_documents() -> None:
    """Tell Stripe billing details that wait, and ask again for what is to be paid."""
    each_for_itself(_sweep, (details_pushing.sweep, invoice_attempts.sweep))


@shared_task(name="billing.reload_if_low")
def reload_if_low(organization_id: str) -> None:
    """Charge an organization's card if a reload is due. Safe to repeat, and at once."""
    with suppress(BillingNotConfigured):
        reloads.reload_if_low(UUID(organization_id))


@shared_task(name="billing.sweep_reloads")
def sweep_reloads() -> None:
    """Resume attempts whose answer got lost, and look where a ring got lost."""
    reloads.sweep()


def _sweep(sweep: Callable[[], object]) -> int:
    with suppress(BillingNotConfigured):  # there is nobody to ask
        sweep()
    return 1

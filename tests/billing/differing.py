"""A difference for tests that only need one to be there."""

from apps.billing.models import ReconciliationCase, ReconciliationRun
from apps.core.clock import database_now


def make_difference(organization, person):
    """Return an open case of a run that the person asked for, and that is over."""
    now = database_now()
    run = ReconciliationRun.objects.create(
        since=now, until=now, started_at=now, finished_at=now, status="done", requested_by=person
    )
    return ReconciliationCase.objects.create(
        organization=organization,
        kind="granted_not_paid",
        stripe_payment_intent_id=f"pi_{organization.slug}",
        ledger_credits=100,
        first_run=run,
        last_run=run,
    )

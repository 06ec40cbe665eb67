"""
Reconciliation: compare Stripe, payments and ledger, and open a case for each difference.

A run is written down, then asks Stripe, and then writes all that it found in one transaction.
Nothing here moves money or credits: `repairs` does, when staff say so.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction

from apps.billing.errors import BillingNotConfigured, StripeUnavailable
from apps.billing.gateway.client import is_configured
from apps.billing.models import Payment, ReconciliationCase, ReconciliationRun
from apps.billing.services import comparing
from apps.core.clock import database_now
from apps.core.db import inside_transaction, outside_transaction
from apps.core.queue import enqueue
from apps.tenants.models import User
from apps.tenants.services.audit import record

logger = structlog.get_logger(__name__)
Case = ReconciliationCase
Run = ReconciliationRun
WHY = "Stripe's money is compared with that of all organizations"
WINDOW = timedelta(days=35)  # a month, and what was late in it
GRACE = timedelta(minutes=15)  # so long Stripe's news may be on its way
LONGEST_RUN = timedelta(hours=2)  # whatever is under way for longer has lost its worker


@inside_transaction
def request_run(*, user: User) -> Run:
    """
    Let a worker compare now; return the run, or the one that is under way already.

    The row is what a worker looks for: if nobody rings, the nightly run takes it up.

    :raises BillingNotConfigured: if there is no key for Stripe.
    """
    if not is_configured():
        raise BillingNotConfigured
    run, is_new = _begin(user)
    if is_new:
        record(action="reconciliation.requested", object_id=run.public_id)
    enqueue("billing.reconcile", run_id=str(run.pk))
    return run


def _begin(user: User | None) -> tuple[Run, bool]:
    """Return the run that is under way, or a new one, and whether it is new."""
    now = database_now()
    under_way = Run.objects.filter(status=Run.Status.UNDER_WAY)
    under_way.filter(started_at__lt=now - LONGEST_RUN).update(
        status=Run.Status.FAILED, finished_at=now, error="Its worker was lost."
    )
    if (found := under_way.first()) is not None:
        return found, False
    try:
        with transaction.atomic():
            return Run.objects.create(since=now - WINDOW, requested_by=user), True
    except IntegrityError:  # somebody was quicker
        return _begin(user)


@outside_transaction
def reconcile(run_id: UUID | None = None, *, grace: timedelta = GRACE) -> Run | None:
    """
    Compare the last five weeks, and open and close cases; return the run.

    None if another worker has it. Without `run_id` it takes up the run that waits, or begins
    one. `grace` is for how long what Stripe did is left out: its news may be on its way.

    :raises BillingNotConfigured: if there is no key for Stripe.
    """
    if run_id is None:
        if not is_configured():
            raise BillingNotConfigured  # and no row for each night
        run_id = _begin(None)[0].pk
    now = database_now()
    mine = Run.objects.filter(pk=run_id, status=Run.Status.UNDER_WAY, started_at=None)
    if not mine.update(started_at=now, until=now - grace):
        return None
    run = Run.objects.get(pk=run_id)
    assert run.until is not None
    cases = Case.objects.across_organizations(WHY).filter(status=Case.Status.OPEN)
    besides = set(cases.values_list("stripe_payment_intent_id", flat=True))
    try:
        lines = comparing.collect(since=run.since, until=run.until, besides=besides)
    except (StripeUnavailable, BillingNotConfigured) as error:
        _fail(run, str(error))
        raise
    except Exception as error:
        _fail(run, f"{type(error).__name__}: {error}"[:500])
        raise
    return _write_down(run, lines)


def _fail(run: Run, error: str) -> None:
    Run.objects.filter(pk=run.pk).update(
        status=Run.Status.FAILED, finished_at=database_now(), error=error
    )


@transaction.atomic
def _write_down(run: Run, lines: list[comparing.Line]) -> Run:
    """Open what was found, close what was not, and end the run."""
    rows = Case.objects.across_organizations(WHY).select_for_update(no_key=True).order_by("pk")
    intents = [line.intent for line in lines]
    known = {
        (case.kind, case.stripe_payment_intent_id): case
        for case in rows.filter(stripe_payment_intent_id__in=intents)
        | rows.filter(status=Case.Status.OPEN)
    }
    found = {
        (kind.value, line.intent): line for line in lines for kind in comparing.differences_of(line)
    }
    for key, line in found.items():
        run.opened += _keep(run, key[0], line, known.get(key))
    still_open = {key: one for key, one in known.items() if one.status == Case.Status.OPEN}
    gone = [case for key, case in still_open.items() if key not in found]
    now = database_now()
    Case.objects.across_organizations(WHY).filter(pk__in=[case.pk for case in gone]).update(
        status=Case.Status.GONE, closed_at=now
    )
    run.closed, run.compared, run.totals = len(gone), len(lines), totals_of(lines)
    run.status, run.finished_at = Run.Status.DONE, now
    run.save()
    if run.opened:
        logger.warning("reconciliation_differs", run=run.public_id, opened=run.opened)
    return run


def _keep(run: Run, kind: str, line: comparing.Line, case: Case | None) -> bool:
    """Write a difference down; return whether it is new, or open again."""
    assert run.started_at is not None
    if case is None:
        Case.objects.create(
            organization_id=line.organization_id,
            kind=kind,
            stripe_payment_intent_id=line.intent,
            payment=line.payment,
            first_run=run,
            last_run=run,
            **line.columns,
        )
        return True
    if case.closed_at is not None and case.closed_at >= run.started_at:
        return False  # staff ended it while we were looking; the next run looks again
    is_same = all(getattr(case, name) == value for name, value in line.columns.items())
    is_left = case.status == Case.Status.DISMISSED and is_same
    is_again = case.status != Case.Status.OPEN and not is_left
    for name, value in line.columns.items():
        setattr(case, name, value)
    case.last_run = run
    case.payment = line.payment
    if is_again:
        case.status, case.closed_at, case.closed_by, case.note = Case.Status.OPEN, None, None, ""
    case.save()
    return is_again


def totals_of(lines: Iterable[comparing.Line]) -> dict[str, Any]:
    """Return the sums of the three columns: money by currency in minor units, and credits."""
    money: dict[str, dict[str, int]] = defaultdict(
        lambda: {"stripe": 0, "stripe_refunded": 0, "payments": 0, "payments_refunded": 0}
    )
    promised = granted = 0
    for line in lines:
        if line.taken is not None:
            money[line.taken.currency]["stripe"] += line.taken.amount
            money[line.taken.currency]["stripe_refunded"] += line.taken.refunded
        payment = line.payment
        if payment is not None and payment.status == Payment.Status.SUCCEEDED:
            money[payment.currency]["payments"] += payment.amount + payment.tax
            money[payment.currency]["payments_refunded"] += payment.refunded
            if payment.purpose != Payment.Purpose.INVOICE:
                promised += payment.credits
        granted += line.granted or 0
    return {"money": dict(money), "credits": {"payments": promised, "ledger": granted}}

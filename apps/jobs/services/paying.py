"""
Pay for an attempt when it begins, and settle it when it ends: each exactly once.

What covers it is asked in this order: the plan's unlimited operations, the trial, other
credits. Which lots come first is the ledger's to say; here it is only written down.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.credits.errors import HoldSettled
from apps.credits.models import CreditEvent, Hold, Lot
from apps.credits.services import charges, holds
from apps.jobs.models import Attempt, GenerationArea, GenerationJob
from apps.jobs.models.jobs import PaymentType
from apps.jobs.selectors.offers import Offer
from apps.jobs.services.metering import is_metered, megapixels, most_units

HELD_LONGER = timedelta(hours=1)  # than the deadline, so that what ends in time finds its hold


@inside_transaction
def open_attempt(
    *,
    job: GenerationJob,
    area: GenerationArea,
    offer: Offer,
    price: CreditEvent,
    is_covered: bool,
) -> Attempt:
    """
    Begin the area's present attempt: charge it, or hold what it can cost at the most.

    Nothing if the plan covers it (`is_covered`), or if it is free.

    :raises InsufficientCredits: if the wallet does not cover it.
    :raises BudgetExceeded: if a budget of this month would be exceeded.
    :raises WalletFrozen: if nothing may leave the wallet.
    :raises WalletClosed: if the wallet is closed.
    """
    attempt = Attempt(
        organization_id=job.organization_id,
        area=area,
        number=area.attempt_number,
        wallet=job.wallet,
        credit_event=price,
        payment_type=PaymentType.CREDITS,
    )
    if is_covered:
        attempt.payment_type = PaymentType.PLAN
    elif price.credit_cost:
        attempt.charge_reference = f"job:{job.public_id}:{area.position}:{area.attempt_number}"
        if is_metered(price):
            _hold(attempt, job, area, offer)
        else:
            _charge(attempt, job, offer)
    attempt.save(force_insert=True)
    area.price, area.payment_type = attempt.cost, attempt.payment_type
    return attempt


def _charge(attempt: Attempt, job: GenerationJob, offer: Offer) -> None:
    outcome = charges.charge_event(
        wallet=job.wallet,
        event=job.operation_type,
        reference=attempt.charge_reference,
        source="job",
        source_id=job.public_id,
        description=offer.name,
    )
    # What was charged, should the price have changed since it was read.
    charged_at = outcome.entries[0].credit_event_id
    assert charged_at is not None
    attempt.cost, attempt.credit_event_id = -outcome.amount, charged_at
    attempt.payment_type = _paid_by(entry.lot_id for entry in outcome.entries)


def _hold(attempt: Attempt, job: GenerationJob, area: GenerationArea, offer: Offer) -> None:
    assert area.upload is not None
    price = attempt.credit_event
    outcome = holds.hold_amount(
        wallet=job.wallet,
        amount=price.credit_cost * most_units(offer, price, area.parameters, area.upload),
        reference=attempt.charge_reference,
        source="job",
        source_id=job.public_id,
        description=offer.name,
        price=price,
        policy=Hold.Policy.CAP,
        ttl=job.deadline - database_now() + HELD_LONGER,
    )
    assert outcome.hold is not None
    attempt.hold_id, attempt.cost = outcome.hold.id, outcome.hold.amount
    attempt.payment_type = _paid_by(entry.lot_id for entry in outcome.entries)


def _paid_by(lot_ids: Iterable[UUID]) -> PaymentType:
    """Say that the trial paid, if nothing else did."""
    kinds = set(Lot.objects.filter(pk__in=list(lot_ids)).values_list("kind", flat=True))
    return PaymentType.TRIAL if kinds == {Lot.Kind.TRIAL.value} else PaymentType.CREDITS


@inside_transaction
def keep_payment(attempt: Attempt, *, width: int, height: int) -> None:
    """End an attempt that made a result of this size; what was held is captured as far as used."""
    if attempt.hold is not None:
        used = attempt.credit_event.credit_cost * megapixels((width, height))
        attempt.cost = min(used, attempt.hold.amount)
        holds.capture_hold(hold=attempt.hold, amount=used, source="job")
    _end(attempt, Attempt.Outcome.COMPLETED)


@inside_transaction
def give_back(
    attempt: Attempt, job: GenerationJob, *, outcome: Attempt.Outcome, is_our_fault: bool, why: str
) -> None:
    """End an attempt that failed or was cancelled, and give back all that it cost."""
    is_captured = attempt.hold is not None and is_our_fault and _capture_all(attempt, attempt.hold)
    if attempt.hold is not None and not is_captured:
        holds.release_hold(hold=attempt.hold, source="job", description=why)
    elif attempt.cost:
        charges.refund_charge(
            wallet=job.wallet,
            charge_reference=attempt.charge_reference,
            reference=attempt.refund_reference,
            source="job",
            source_id=job.public_id,
            is_our_fault=is_our_fault,
            description=why,
        )
    attempt.refunded = attempt.cost
    _end(attempt, outcome)


def _capture_all(attempt: Attempt, hold: Hold) -> bool:
    """
    Take what is held, to be given back as what our failure took; tell whether it was held yet.

    So lots that ended meanwhile live on. What is past its time came back when that ended.
    """
    try:
        holds.capture_hold(hold=hold, amount=attempt.cost, source="job")
    except HoldSettled:
        return False
    return True


def _end(attempt: Attempt, outcome: Attempt.Outcome) -> None:
    attempt.outcome, attempt.ended_at = outcome, database_now()
    attempt.save(update_fields=["outcome", "cost", "refunded", "ended_at"])

"""Take a job in: paid when it is submitted, all of it, or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction

from apps.core import queue
from apps.core.clock import database_now
from apps.credits import selectors as credits_selectors
from apps.credits.errors import InsufficientCredits, WalletClosed
from apps.credits.models import CreditEvent, Wallet
from apps.credits.selectors.coverage import is_covered_by_plan
from apps.jobs.errors import InvalidAreas, InvalidParameters
from apps.jobs.models import (
    BlobUpload,
    GenerationArea,
    GenerationJob,
    OrganizationQueue,
    StyleVersion,
)
from apps.jobs.models.jobs import MOST_AREAS, PaymentType
from apps.jobs.models.queues import CONCURRENCY
from apps.jobs.runners.registry import RUNNERS, STYLED
from apps.jobs.selectors import styles_by_code
from apps.jobs.selectors.offers import Offer, offer_of
from apps.jobs.services import uploads
from apps.jobs.services.ending import take_stock
from apps.jobs.services.looks import choose_style
from apps.jobs.services.metering import most_units
from apps.jobs.services.paying import open_attempt
from apps.tenants.models import Organization, User
from apps.tenants.services import audit

TIME = timedelta(hours=12)  # what has not ended by then fails
LONGEST_TIME = timedelta(hours=22)  # a hold lives for a day


@dataclass(frozen=True)
class AreaRequest:
    """One picture, and how to work on it."""

    upload: BlobUpload
    parameters: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def submit_job(
    *,
    organization: Organization,
    user: User,
    operation: str,
    areas: Sequence[AreaRequest],
    time: timedelta = TIME,
) -> GenerationJob:
    """
    Pay for a job, write it down and ring for workers, all or nothing.

    Who holds a wallet pays from it alone. What has not ended after `time` fails and is given back.

    :raises UnknownOperation: if nobody does this.
    :raises UnknownCreditEvent: if it has no price.
    :raises InvalidAreas: if these are none, or too many.
    :raises InvalidParameters: if the operation cannot work with those of an area.
    :raises UploadNotFound: if a picture is past its date or of another organization.
    :raises InsufficientCredits: if the wallet cannot pay for all; nothing is written.
    :raises NoWalletOfOwn: if he spends only what a partner gives him, and has nothing yet.
    :raises BudgetExceeded: if a budget that stops has not that much left this month.
    """
    assert timedelta(0) < time <= LONGEST_TIME
    checked = check_areas(operation, areas)
    uploads.hold_uploads(organization, [area.upload for area in areas])
    price = credits_selectors.price_of(operation)
    # Before the wallet is locked, so that nobody who holds that waits for this.
    _have_a_queue(organization)
    job = GenerationJob(
        organization=organization,
        user=user,
        wallet=credits_selectors.spending_wallet(organization, user),
        operation_type=operation,
        payment_type=PaymentType.CREDITS,
        area_count=len(areas),
        deadline=database_now() + time,
    )
    job.save(force_insert=True)
    made = _add_areas(job, [area.upload for area in areas], checked)
    pay_for(job, made, price)
    job.payment_type = _summed_up(area.payment_type for area in made)
    take_stock(job)
    audit.record(
        action="job.submit",
        organization=organization,
        object_id=job.public_id,
        after=told_of(job, operation=operation, areas=[area.asked for area in made], cost=job.cost),
    )
    ring_for(job, len(made))
    return job


def told_of(job: GenerationJob, **facts: Any) -> dict[str, Any]:
    """Return what the organization's log tells of a job: nothing, if its member paid for it."""
    return facts if job.wallet.kind == Wallet.Kind.ORGANIZATION else {}


def _have_a_queue(organization: Organization) -> None:
    rows = [OrganizationQueue(organization=organization)]
    OrganizationQueue.objects.bulk_create(rows, ignore_conflicts=True)


def _add_areas(
    job: GenerationJob, uploads: Sequence[BlobUpload], parameters: Sequence[dict[str, Any]]
) -> list[GenerationArea]:
    return GenerationArea.objects.bulk_create(
        GenerationArea(
            organization=job.organization,
            job=job,
            position=position,
            operation_type=job.operation_type,
            parameters=own,
            upload=upload,
            payment_type=PaymentType.CREDITS,
        )
        for position, (upload, own) in enumerate(zip(uploads, parameters, strict=True), start=1)
    )


def check_areas(operation: str, areas: Sequence[AreaRequest]) -> list[dict[str, Any]]:
    """
    Return the parameters of each area with the operation's defaults and the look of its style.

    :raises UnknownOperation: if nobody does this.
    :raises InvalidAreas: if there are none, or too many.
    :raises InvalidParameters: if one is unknown or wrong, or the result would be too large.
    """
    offer = offer_of(operation)
    if not 1 <= len(areas) <= MOST_AREAS:
        raise InvalidAreas(most=MOST_AREAS, areas=len(areas))
    offered = styles_by_code(operation) if operation in STYLED else None
    checked = []
    for position, area in enumerate(areas, start=1):
        try:
            checked.append(_checked(offer, offered, area))
        except ValueError as error:
            parameter, problem = error.args
            where = f"areas.{position}.{parameter}" if len(areas) > 1 else parameter
            raise InvalidParameters(parameter=where, problem=problem) from error
    return checked


def _checked(
    offer: Offer, offered: Mapping[str, StyleVersion] | None, area: AreaRequest
) -> dict[str, Any]:
    chosen, rest = (
        ({}, area.parameters) if offered is None else choose_style(area.parameters, offered)
    )
    parameters = {**chosen, **offer.check(rest)}
    offer.result_size(parameters, area.upload.width, area.upload.height)
    return parameters


def pay_for(job: GenerationJob, areas: Sequence[GenerationArea], price: CreditEvent) -> None:
    """
    Begin an attempt for each of these areas, all or none.

    :raises UnknownOperation: if nobody does this any more.
    :raises InsufficientCredits: with what all of them need together.
    :raises WalletClosed: if the wallet is closed.
    :raises BudgetExceeded: if a budget would be exceeded.
    """
    offer = offer_of(job.operation_type)
    is_covered = is_covered_by_plan(job.wallet, price)
    if is_covered or not price.credit_cost:
        _check_open(job)
    paid = 0
    for position, area in enumerate(areas):
        try:
            attempt = open_attempt(
                job=job, area=area, offer=offer, price=price, is_covered=is_covered
            )
        except InsufficientCredits as error:
            left = sum(price.credit_cost * _units(offer, price, one) for one in areas[position:])
            raise _of_all(error, paid, left) from error
        paid += attempt.cost
    GenerationArea.objects.bulk_update(areas, ["price", "payment_type"])


def _check_open(job: GenerationJob) -> None:
    """
    Check that the wallet is open where nothing is asked of it, under its lock.

    :raises WalletClosed: if its organization is being closed at this moment, or was.
    """
    wallet = Wallet.objects.select_for_update(no_key=True).get(pk=job.wallet_id)
    if wallet.closed_at is not None:
        raise WalletClosed


def _units(offer: Offer, price: CreditEvent, area: GenerationArea) -> int:
    assert area.upload is not None, "there is something to work on"
    return most_units(offer, price, area.parameters, area.upload)


def _of_all(error: InsufficientCredits, paid: int, left: int) -> InsufficientCredits:
    """Say of the whole job what the ledger said of one area, after those that it could pay."""
    required = paid + left
    available = paid + error.details["available"]
    return InsufficientCredits(
        required=required,
        available=available,
        held=error.details["held"],
        shortfall=required - available,
    )


def _summed_up(types: Iterable[str]) -> PaymentType:
    """Return what paid for the whole: credits, as soon as they paid for a part of it."""
    found = set(types)
    for one in (PaymentType.CREDITS, PaymentType.TRIAL):
        if one.value in found:
            return one
    return PaymentType.PLAN


def ring_for(job: GenerationJob, count: int) -> None:
    """Ring for so many areas of a job, unless workers outside do them: those come and ask."""
    if job.operation_type in RUNNERS:
        ring(count)


def ring(count: int) -> None:
    """
    Ring for so many workers, and no more than may work for one organization by default.

    Each takes one area, and rings again if there was one.
    """
    for _ in range(min(count, CONCURRENCY)):
        queue.enqueue("jobs.work")

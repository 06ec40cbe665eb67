"""Take a job in: paid when it is submitted, or not at all."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.core import queue
from apps.core.clock import database_now
from apps.credits import selectors as credits_selectors
from apps.credits.models import Lot
from apps.credits.services import charges
from apps.jobs.errors import InvalidParameters, JobNotCancellable, UnknownOperation, UploadNotFound
from apps.jobs.models import BlobUpload, GenerationJob
from apps.jobs.runners.registry import RUNNERS
from apps.tenants.models import Organization, User
from apps.tenants.services import audit


@transaction.atomic
def submit_job(
    *,
    organization: Organization,
    user: User,
    operation: str,
    parameters: Mapping[str, Any],
    upload: BlobUpload,
) -> GenerationJob:
    """
    Charge a job, write it down and ring for a worker, all or nothing.

    :raises UnknownOperation: if no runner does this.
    :raises InvalidParameters: if the operation cannot work with them.
    :raises UploadNotFound: if the picture is past its date or of another organization.
    :raises InsufficientCredits: if the organization cannot pay; nothing is written.
    :raises BudgetExceeded: if a budget that stops has not that much left this month.
    """
    checked = check_parameters(operation, parameters)
    if upload.organization_id != organization.id or upload.expires_at <= database_now():
        raise UploadNotFound(upload_id=upload.public_id)
    price = credits_selectors.price_of(operation)
    job = GenerationJob(
        organization=organization,
        user=user,
        wallet=credits_selectors.main_wallet(organization),
        operation_type=operation,
        parameters=checked,
        upload=upload,
        cost=price.credit_cost,
        credit_event=price,
    )
    job.payment_type = pay(job)
    job.save(force_insert=True)
    audit.record(
        action="job.submit",
        organization=organization,
        object_id=job.public_id,
        after={"operation": operation, "parameters": checked, "cost": job.cost},
    )
    queue.enqueue("jobs.run_job", job_id=str(job.id))
    return job


def check_parameters(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the parameters with the operation's defaults.

    :raises UnknownOperation: if no runner does this.
    :raises InvalidParameters: if one is unknown or wrong.
    """
    runner = RUNNERS.get(operation)
    if runner is None:
        raise UnknownOperation(operation=operation, known=", ".join(RUNNERS))
    try:
        return runner.check(parameters)
    except ValueError as error:
        parameter, problem = error.args
        raise InvalidParameters(parameter=parameter, problem=problem) from error


def pay(job: GenerationJob) -> GenerationJob.PaymentType:
    """Charge the job's cost and return what paid for it; what is free is not charged."""
    if not job.cost:
        return GenerationJob.PaymentType.CREDITS
    job.charge_reference = f"job:{job.public_id}:1"  # paid for the first attempt
    outcome = charges.charge_event(
        wallet=job.wallet,
        event=job.operation_type,
        reference=job.charge_reference,
        source="job",
        source_id=job.public_id,
        description=RUNNERS[job.operation_type].name,
    )
    # What was charged, should the price have changed since it was read above.
    charged_at = outcome.entries[0].credit_event_id
    assert charged_at is not None
    job.cost, job.credit_event_id = -outcome.amount, charged_at
    drawn_on = Lot.objects.filter(pk__in=[entry.lot_id for entry in outcome.entries])
    is_trial = set(drawn_on.values_list("kind", flat=True)) == {Lot.Kind.TRIAL.value}
    return GenerationJob.PaymentType.TRIAL if is_trial else GenerationJob.PaymentType.CREDITS


@transaction.atomic
def cancel_job(*, job: GenerationJob) -> GenerationJob:
    """
    Cancel a job that no worker has begun, and give its credits back.

    :raises JobNotCancellable: if it has begun or ended.
    """
    # One statement decides between us and a worker that claims it at this moment.
    cancelled = GenerationJob.objects.filter(pk=job.pk, status="pending").update(
        status="cancelled", completed_at=database_now()
    )
    job.refresh_from_db()
    if not cancelled:
        raise JobNotCancellable(job_status=job.status)
    refund(job, is_our_fault=False, description="Cancelled before it began")
    audit.record(
        action="job.cancel", organization=job.organization, object_id=job.public_id, after={}
    )
    return job


def refund(job: GenerationJob, *, is_our_fault: bool, description: str) -> None:
    """Give all of a job's cost back, once; what was free has nothing to give."""
    if not job.cost:
        return
    charges.refund_charge(
        wallet=job.wallet,
        charge_reference=job.charge_reference,
        reference=job.refund_reference,
        source="job",
        source_id=job.public_id,
        is_our_fault=is_our_fault,
        description=description,
    )

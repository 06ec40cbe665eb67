"""Jobs that were submitted before there were areas go on as jobs with one area."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from apps.core import ids
from apps.core.invariants import verify
from apps.core.walls.building import build
from apps.credits.selectors import main_wallet, price_of
from apps.credits.services import charges
from apps.jobs.models import Attempt, GenerationJob, OrganizationQueue
from tests.jobs.work import OPERATION, available, lose_lease, make_upload, set_price, work_off
from tests.people import make_member, make_organization

pytestmark = pytest.mark.django_db(transaction=True)
STATUSES = ("pending", "processing", "completed", "failed", "cancelled")


def migrate(name: str):
    """Bring the tables of jobs to a migration; return the models as they are there."""
    executor = MigrationExecutor(connection)
    executor.migrate([("jobs", name)])
    return MigrationExecutor(connection).loader.project_state([("jobs", name)]).apps


@pytest.fixture
def before():
    """The models as they were before; afterwards everything is as it was."""
    try:
        yield migrate("0002_course_of_a_job")
    finally:
        latest = MigrationExecutor(connection).loader.graph.leaf_nodes("jobs")
        MigrationExecutor(connection).migrate(latest)
        build()


def test_jobs_of_every_status_survive(before):
    set_price()
    organization = make_organization()
    user = make_member(organization, "developer")
    upload = make_upload(organization, user)
    jobs = {status: old_job(before, organization, user, upload, status) for status in STATUSES}

    migrate("0012_work_is_in_areas")
    build()

    moved = {status: GenerationJob.objects.get(pk=pk) for status, pk in jobs.items()}
    areas = {status: job.areas.get() for status, job in moved.items()}
    assert {status: job.status for status, job in moved.items()} == {one: one for one in STATUSES}
    assert {status: area.status for status, area in areas.items()} == {one: one for one in STATUSES}
    assert (areas["completed"].result.name, areas["failed"].error_code) == ("a.png", "gone")
    assert [moved["failed"].refunded, moved["completed"].refunded] == [5, 0]
    assert Attempt.objects.get(area=areas["completed"]).charge_reference.endswith(":1")
    assert OrganizationQueue.objects.count() == 1
    assert all(finding.failures == 0 for finding in verify())
    # What waited, and what a worker of the old release had, is done by one of the new.
    lose_lease(areas["processing"])
    assert work_off() == 2
    assert available(organization) == 85
    assert all(finding.failures == 0 for finding in verify())


def old_job(before, organization, user, upload, status):
    """Write a job as it was written then, with its charge and its refund."""
    job_id = ids.new_id()
    reference = f"job:{ids.encode('job', job_id)}:1"
    wallet = main_wallet(organization)
    charges.charge_event(wallet=wallet, event=OPERATION, reference=reference, source="job")
    has_ended = status in ("completed", "failed", "cancelled")
    if has_ended and status != "completed":
        charges.refund_charge(
            wallet=wallet,
            charge_reference=reference,
            reference=f"refund:{reference}",
            source="job",
        )
    is_claimed = status == "processing"
    jobs = before.get_model("jobs", "GenerationJob").objects
    jobs.create(
        id=job_id,
        organization_id=organization.pk,
        user_id=user.pk,
        wallet_id=wallet.pk,
        operation_type=OPERATION,
        parameters={"style": "dusk", "size": None},
        upload_id=upload.pk,
        cost=5,
        credit_event_id=price_of(OPERATION).pk,
        payment_type="trial",
        charge_reference=reference,
    )
    for step in {"pending": (), "cancelled": ("cancelled",), "processing": ("processing",)}.get(
        status, ("processing", status)
    ):
        ends = step not in ("pending", "processing")
        jobs.filter(pk=job_id).update(
            status=step,
            attempts=1,
            claim=None if ends else ids.new_id(),
            claimed_until=None if ends else timezone.now() + timedelta(seconds=90),
            completed_at=timezone.now() if ends else None,
            result="a.png" if step == "completed" else "",
            error_code="gone" if step == "failed" else "",
        )
    assert is_claimed == jobs.filter(pk=job_id, claim__isnull=False).exists()
    return job_id

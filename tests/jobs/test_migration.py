"""Jobs that were submitted before there were areas go on as jobs with one area."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from apps.core import ids
from apps.core.invariants import verify
from apps.credits.selectors import main_wallet, price_of
from apps.credits.services import charges
from apps.jobs.models import Attempt, GenerationJob, OrganizationQueue
from tests.jobs.work import OPERATION, available, lose_lease, make_upload, set_price, work_off
from tests.people import make_member, make_organization

pytestmark = pytest.mark.django_db
STATUSES = ("pending", "processing", "completed", "failed", "cancelled")
MOVING = "0011_one_area_for_each_job"
# The columns that jobs had, and none of the guards that come after the move.
TABLE_OF_THEN = """
    ALTER TABLE jobs_generationjob
        ADD parameters jsonb, ADD upload_id uuid, ADD credit_event_id uuid,
        ADD charge_reference varchar(200), ADD progress smallint DEFAULT 0,
        ADD result varchar(200), ADD result_content_type varchar(50) DEFAULT '',
        ADD result_width integer, ADD result_height integer, ADD error_code varchar(50),
        ADD error_message text DEFAULT '', ADD attempts smallint DEFAULT 1, ADD claim uuid,
        ADD claimed_until timestamptz,
        DROP CONSTRAINT jobs_end_with_their_last_area,
        DROP CONSTRAINT jobs_end_as_their_areas_did;
    DROP TRIGGER jobs_follow_their_course ON jobs_generationjob;
    DROP TRIGGER jobs_areas_follow_their_course ON jobs_generationarea;
    DROP TRIGGER jobs_attempts_stay ON jobs_attempt;
"""
# Checked now, as the next migration checks every row when it adds them.
GUARDS = {
    "jobs_end_with_their_last_area": "",
    "jobs_end_as_their_areas_did": "",
}


@pytest.fixture
def old_models():
    """The models as they were, over tables as they were; all of it is rolled back."""
    with connection.cursor() as cursor:
        for name in GUARDS:
            cursor.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]
            )
            (GUARDS[name],) = cursor.fetchone()
        cursor.execute(TABLE_OF_THEN)
    return MigrationLoader(connection).project_state([("jobs", MOVING)]).apps


def test_jobs_of_every_status_survive(old_models):
    set_price()
    organization = make_organization()
    user = make_member(organization, "developer")
    upload = make_upload(organization, user)
    old = old_models.get_model("jobs", "GenerationJob")
    jobs = {status: old_job(old, organization, user, upload, status) for status in STATUSES}

    import_module(f"apps.jobs.migrations.{MOVING}").move(old_models, None)

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name, definition in GUARDS.items():
            cursor.execute(f"ALTER TABLE jobs_generationjob ADD CONSTRAINT {name} {definition}")
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


def old_job(old, organization, user, upload, status):
    """Write a job as it was written then, with its charge and its refund."""
    job_id, wallet = ids.new_id(), main_wallet(organization)
    reference = f"job:{ids.encode('job', job_id)}:1"
    charges.charge_event(wallet=wallet, event=OPERATION, reference=reference, source="job")
    if status in ("failed", "cancelled"):
        charges.refund_charge(
            wallet=wallet,
            charge_reference=reference,
            reference=f"refund:{reference}",
            source="job",
        )
    has_ended = status in ("completed", "failed", "cancelled")
    is_claimed = status == "processing"
    return old.objects.create(
        id=job_id,
        organization_id=organization.pk,
        user_id=user.pk,
        wallet_id=wallet.pk,
        operation_type=OPERATION,
        parameters={"style": "dusk", "size": None},
        upload_id=upload.pk,
        status=status,
        cost=5,
        credit_event_id=price_of(OPERATION).pk,
        payment_type="trial",
        charge_reference=reference,
        claim=ids.new_id() if is_claimed else None,
        claimed_until=timezone.now() + timedelta(seconds=90) if is_claimed else None,
        deadline=timezone.now(),
        result="a.png" if status == "completed" else "",
        error_code="gone" if status == "failed" else "",
        attempts=1,
        started_at=timezone.now(),
        completed_at=timezone.now() if has_ended else None,
    ).pk

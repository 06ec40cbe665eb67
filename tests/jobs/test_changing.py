"""What people do with a submitted job: cancel what waits, retry what failed."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.invariants import verify
from apps.credits.errors import InsufficientCredits
from apps.jobs.errors import JobNotCancellable, JobNotRetryable, PictureGone
from apps.jobs.models import Attempt, BlobUpload, GenerationArea, GenerationJob
from apps.jobs.services import running
from apps.jobs.services.changing import cancel_job, retry_job
from apps.tenants.models import AuditLog, OutboxEvent
from tests.jobs.work import available, claim, make_areas, make_job, make_upload, set_price, work_off
from tests.people import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    set_price()
    return make_organization()


def is_sound() -> bool:
    return all(finding.failures == 0 for finding in verify())


class TestCancelJob:
    def test_gives_back_what_waits_and_ends_the_job(self, organization):
        job = cancel_job(job=make_areas(organization))

        assert (job.status, job.cancelled_areas, job.refunded) == ("cancelled", 3, 15)
        assert available(organization) == 100
        assert OutboxEvent.objects.get().event_type == "job.cancelled"
        assert AuditLog.objects.filter(action="job.cancel", object_id=job.public_id).exists()
        assert is_sound()

    def test_refuses_what_has_begun(self, organization):
        job = make_job(organization)
        claim()

        with pytest.raises(JobNotCancellable, match="processing"):
            cancel_job(job=job)

        assert available(organization) == 95


class TestRetryJob:
    @pytest.fixture
    def failed(self, organization):
        """A job with one area that worked and two that failed, which nothing will fail again."""
        job = make_areas(organization, plain=[True, False, True])
        work_off()
        good = make_upload(organization, job.user)
        GenerationArea.objects.filter(job=job, status="failed").update(upload=good)
        return job

    def test_pays_again_for_what_failed_and_keeps_the_rest(self, failed, organization):
        assert available(organization) == 95

        job = retry_job(job=failed, by=failed.user)

        assert (job.status, job.failed_areas, job.completed_areas) == ("processing", 0, 1)
        assert (job.cost, job.refunded, available(organization)) == (25, 10, 85)
        assert work_off() == 2
        job.refresh_from_db()
        assert (job.status, job.completed_areas) == ("completed", 3)
        assert is_sound()

    def test_charges_under_a_reference_of_its_own(self, failed):
        job = retry_job(job=failed, by=failed.user)

        area = job.areas.get(position=1)
        references = [one.charge_reference for one in area.attempts.order_by("number")]
        assert references == [f"job:{job.public_id}:1:1", f"job:{job.public_id}:1:2"]
        assert (area.attempt_number, area.claims, area.error_code) == (2, 0, "")

    def test_pays_nothing_more_when_its_worker_dies(self, failed, organization):
        retry_job(job=failed, by=failed.user)
        for area in (claim(), claim()):
            GenerationArea.objects.filter(pk=area.pk).update(
                status="pending", claim=None, claimed_until=None
            )

        work_off()

        assert (Attempt.objects.count(), available(organization)) == (5, 85)

    def test_ends_the_job_anew(self, failed):
        retry_job(job=failed, by=failed.user)
        work_off()

        found = OutboxEvent.objects.filter(object_id=failed.public_id)
        assert list(found.values_list("event_type", flat=True)) == ["job.completed"] * 2

    def test_waits_again_if_all_had_failed(self, organization):
        job = make_job(organization, plain=True)
        work_off()
        GenerationJob.objects.update(deadline=timezone.now())

        job = retry_job(job=job, by=job.user)

        assert (job.status, job.completed_at) == ("pending", None)
        assert job.deadline > timezone.now() + timedelta(hours=11)
        work_off()
        job.refresh_from_db()
        assert (job.status, job.cost, job.refunded) == ("failed", 10, 10)
        assert is_sound()

    def test_refuses_while_the_job_goes_on(self, organization):
        job = make_areas(organization, plain=[True, False])
        running.work()

        with pytest.raises(JobNotRetryable, match="1 of its areas failed"):
            retry_job(job=job, by=job.user)

    def test_refuses_where_nothing_failed(self, organization):
        job = make_job(organization)
        work_off()

        with pytest.raises(JobNotRetryable, match="completed"):
            retry_job(job=job, by=job.user)

        assert available(organization) == 95

    def test_refuses_a_second_time(self, failed, organization):
        retry_job(job=failed, by=failed.user)

        with pytest.raises(JobNotRetryable):
            retry_job(job=failed, by=failed.user)

        assert available(organization) == 85

    @pytest.mark.parametrize("is_gone", [True, False])
    def test_refuses_without_the_picture(self, failed, organization, is_gone):
        if is_gone:
            GenerationArea.objects.filter(job=failed).update(upload=None)
        else:
            BlobUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

        with pytest.raises(PictureGone, match="Picture 1"):
            retry_job(job=failed, by=failed.user)

        assert available(organization) == 95

    def test_writes_nothing_when_the_organization_cannot_pay_for_all(self, failed, organization):
        set_price(48)

        with pytest.raises(InsufficientCredits) as refusal:
            retry_job(job=failed, by=failed.user)

        facts = {name: refusal.value.details[name] for name in ("required", "shortfall")}
        assert facts == {"required": 96, "shortfall": 1}
        failed.refresh_from_db()
        assert (failed.status, available(organization)) == ("completed", 95)

    def test_leaves_an_audit_row(self, failed):
        retry_job(job=failed, by=failed.user)

        row = AuditLog.objects.get(action="job.retry", object_id=failed.public_id)
        assert row.after["areas"] == [1, 3]


class TestWhatTheDatabaseKeeps:
    @pytest.fixture
    def area(self, organization):
        make_job(organization)
        return claim()

    def change(self, model, **fields):
        with transaction.atomic():
            model.objects.update(**fields)

    def test_no_area_ends_while_its_payment_is_open(self, area):
        with pytest.raises(IntegrityError, match="cannot have an open attempt"):
            self.change(
                GenerationArea,
                status="failed",
                claim=None,
                claimed_until=None,
                completed_at=timezone.now(),
            )

    def test_no_area_is_tried_again_without_paying(self, organization):
        make_job(organization, plain=True)
        work_off()

        with pytest.raises(IntegrityError, match="needs an open attempt"):
            self.change(GenerationArea, status="pending", completed_at=None)

    def test_no_area_comes_back_once_it_is_done(self, organization):
        make_job(organization)
        work_off()

        with pytest.raises(IntegrityError, match="cannot go from completed to pending"):
            self.change(GenerationArea, status="pending", completed_at=None)

    def test_no_second_open_attempt(self, area):
        paid = Attempt.objects.get()
        second = Attempt(
            organization=paid.organization,
            area=area,
            number=2,
            wallet=paid.wallet,
            credit_event=paid.credit_event,
            payment_type="plan",
        )

        with pytest.raises(IntegrityError, match="jobs_one_open_attempt"), transaction.atomic():
            second.save(force_insert=True)

    @pytest.mark.parametrize("change", [{"cost": 1}, {"number": 2}, {"charge_reference": "job:1"}])
    def test_what_paid_stays(self, area, change):
        with pytest.raises(IntegrityError, match="what paid for it stays"):
            self.change(Attempt, **change)

    def test_an_end_is_said_once(self, organization):
        make_job(organization)
        work_off()

        with pytest.raises(IntegrityError, match="ends once"):
            self.change(Attempt, outcome="failed", refunded=5)

    def test_a_failed_attempt_is_given_back_in_full(self, area):
        with pytest.raises(IntegrityError, match="jobs_attempt_is_given_back"):
            self.change(Attempt, outcome="failed", refunded=4, ended_at=timezone.now())

    def test_no_job_ends_before_its_last_area(self, area):
        with pytest.raises(IntegrityError, match="jobs_end_"):
            self.change(GenerationJob, status="failed", completed_at=timezone.now())

    def test_an_event_stays_as_it_was_written(self, organization):
        cancel_job(job=make_job(organization))

        with pytest.raises(IntegrityError, match="append-only"):
            self.change(OutboxEvent, event_type="job.completed")

"""Doing the work: claims, leases, ends, and what happens when a worker dies."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from apps.core.invariants import verify
from apps.credits.models import CreditTransaction
from apps.jobs.models import GenerationJob
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.services import running
from tests.jobs.work import OPERATION, available, make_job, set_price
from tests.people import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    set_price()
    return make_organization()


@pytest.fixture
def job(organization):
    return make_job(organization)


def lose_lease(job) -> None:
    """Let time pass until the claim of a worker that died has run out."""
    GenerationJob.objects.filter(pk=job.pk).update(claimed_until=Now() - timedelta(seconds=1))


def refunds(job) -> int:
    return CreditTransaction.objects.filter(reference=job.refund_reference).count()


class Dies(BaseException):
    """What a killed worker looks like from inside: nothing after it runs."""


class TestRunJob:
    def test_keeps_the_result_and_the_payment(self, job, organization):
        assert running.run_job(job_id=job.id)

        job.refresh_from_db()
        assert (job.status, job.progress, available(organization)) == ("completed", 100, 95)
        assert default_storage.open(job.result.name).read().startswith(b"\x89PNG")
        assert all(finding.failures == 0 for finding in verify())

    def test_refunds_once_when_the_picture_cannot_be_worked_on(self, organization):
        job = make_job(organization, plain=True)

        running.run_job(job_id=job.id)
        running.run_job(job_id=job.id)

        job.refresh_from_db()
        assert (job.status, job.error_code, refunds(job)) == ("failed", "single_colour", 1)
        assert available(organization) == 100

    def test_refunds_when_the_runner_breaks(self, job, organization, monkeypatch):
        monkeypatch.setattr(RUNNERS[OPERATION], "run", lambda *_: 1 / 0)

        running.run_job(job_id=job.id)

        job.refresh_from_db()
        assert (job.status, job.error_code, available(organization)) == (
            "failed",
            "internal_error",
            100,
        )

    def test_refunds_when_the_picture_is_gone(self, job):
        GenerationJob.objects.filter(pk=job.pk).update(upload=None)

        running.run_job(job_id=job.id)

        job.refresh_from_db()
        assert (job.error_code, refunds(job)) == ("upload_gone", 1)

    def test_does_nothing_for_a_job_that_is_done(self, job):
        running.run_job(job_id=job.id)

        assert not running.run_job(job_id=job.id)

    def test_does_nothing_while_another_worker_has_it(self, job):
        running.claim_job(job_id=job.id)

        assert not running.run_job(job_id=job.id)

    def test_goes_on_where_a_worker_died(self, job, monkeypatch):
        def die(*_):
            raise Dies

        with monkeypatch.context() as patched:
            patched.setattr(RUNNERS[OPERATION], "run", die)
            with pytest.raises(Dies):
                running.run_job(job_id=job.id)
        lose_lease(job)

        assert running.run_job(job_id=job.id)

        job.refresh_from_db()
        assert (job.status, job.attempts, refunds(job)) == ("completed", 2, 0)

    def test_gives_up_and_refunds_a_job_that_takes_five_workers_down(self, job):
        for _ in range(running.MOST_ATTEMPTS):
            assert running.claim_job(job_id=job.id)
            lose_lease(job)

        running.run_job(job_id=job.id)

        job.refresh_from_db()
        assert (job.status, job.error_code, refunds(job)) == ("failed", "gave_up", 1)


class TestALostClaim:
    """A worker that was too slow finds the job in other hands, and writes nothing."""

    @pytest.fixture
    def slow(self, job):
        claimed = running.claim_job(job_id=job.id)
        lose_lease(job)
        assert running.run_job(job_id=job.id)
        return claimed

    def test_completes_nothing_and_leaves_no_file(self, slow):
        result = RUNNERS[OPERATION].run(
            default_storage.open(slow.upload.file.name).read(), slow.parameters, lambda _: None
        )
        folder = f"results/{slow.organization_id}"
        before = default_storage.listdir(folder)[1]

        assert not running.complete_job(job=slow, result=result)

        assert default_storage.listdir(folder)[1] == before

    def test_fails_and_refunds_nothing(self, slow, organization):
        assert not running.fail_job(job=slow, code="late", message="Too late")

        slow.refresh_from_db()
        assert (slow.status, refunds(slow), available(organization)) == ("completed", 0, 95)


class TestAClaimThatAnotherHasNow:
    """The other one still works on it: only the claim tells whose job it is."""

    def test_lets_the_first_write_nothing(self, job, organization):
        first = running.claim_job(job_id=job.id)
        lose_lease(job)
        second = running.claim_job(job_id=job.id)

        assert not running.fail_job(job=first, code="late", message="Too late")

        job.refresh_from_db()
        assert (job.status, job.claim, refunds(job)) == ("processing", second.claim, 0)


class TestRingForWaitingJobs:
    def test_rings_for_what_was_forgotten(self, job, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks() as rung:
            assert running.ring_for_waiting_jobs() == 0
            GenerationJob.objects.update(created_at=Now() - timedelta(seconds=11))
            assert running.ring_for_waiting_jobs() == 1

        assert len(rung) == 1

    def test_rings_for_what_a_dead_worker_left(self, job):
        running.claim_job(job_id=job.id)
        GenerationJob.objects.update(created_at=Now() - timedelta(seconds=60))
        assert running.ring_for_waiting_jobs() == 0
        lose_lease(job)

        assert running.ring_for_waiting_jobs() == 1

    def test_leaves_what_is_done_in_peace(self, job):
        running.run_job(job_id=job.id)
        GenerationJob.objects.update(created_at=Now() - timedelta(days=1))

        assert running.ring_for_waiting_jobs() == 0

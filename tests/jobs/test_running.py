"""Doing the work: ends, lost claims, deadlines, and what happens when a worker dies."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from apps.core import queue
from apps.core.invariants import verify
from apps.credits.models import CreditTransaction
from apps.jobs.models import Attempt, GenerationArea, GenerationJob
from apps.jobs.models.areas import MOST_CLAIMS
from apps.jobs.runners.protocol import Result
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.services import running, sweeping
from apps.jobs.services.changing import cancel_job, retry_job
from apps.jobs.services.claiming import claim_area
from apps.jobs.services.ending import complete_area, fail_area, give_back
from apps.tenants.models import OutboxEvent
from tests.jobs.outside import OUTLINE, make_external, submit_outside
from tests.jobs.work import (
    OPERATION,
    available,
    claim,
    lose_lease,
    make_areas,
    make_job,
    set_price,
    work_off,
)
from tests.people import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    set_price()
    return make_organization()


@pytest.fixture
def job(organization):
    return make_job(organization)


def refunds() -> int:
    return CreditTransaction.objects.filter(transaction_type="refunded").count()


def is_sound() -> bool:
    return all(finding.failures == 0 for finding in verify())


def events_of(job) -> list[str]:
    found = OutboxEvent.objects.filter(object_id=job.public_id).order_by("id")
    return list(found.values_list("event_type", flat=True))


class Dies(BaseException):
    """What a killed worker looks like from inside: nothing after it runs."""


class TestWork:
    def test_keeps_the_result_and_the_payment(self, job, organization):
        assert running.work()

        job.refresh_from_db()
        area = job.areas.get()
        assert (job.status, area.status, area.progress) == ("completed", "completed", 100)
        assert (job.cost, job.refunded, available(organization)) == (5, 0, 95)
        assert default_storage.open(area.result.name).read().startswith(b"\x89PNG")
        assert is_sound()

    def test_refunds_once_when_the_picture_cannot_be_worked_on(self, organization):
        job = make_job(organization, plain=True)

        work_off()

        job.refresh_from_db()
        assert (job.status, job.areas.get().error_code, refunds()) == ("failed", "single_colour", 1)
        assert (job.cost, job.refunded, available(organization)) == (5, 5, 100)
        assert is_sound()

    def test_refunds_when_the_runner_breaks(self, job, organization, monkeypatch):
        monkeypatch.setattr(RUNNERS[OPERATION], "run", lambda *_: 1 / 0)

        work_off()

        area = job.areas.get()
        assert (area.status, area.error_code) == ("failed", "internal_error")
        assert available(organization) == 100

    def test_refunds_when_the_picture_is_gone(self, job):
        GenerationArea.objects.update(upload=None)

        work_off()

        assert (job.areas.get().error_code, refunds()) == ("upload_gone", 1)

    def test_gives_up_when_it_learns_that_another_has_the_area(self, job, monkeypatch):
        went_on = []

        def lose_it(picture, parameters, report):
            area = GenerationArea.objects.get()
            lose_lease(area)
            monkeypatch.setattr(running, "PROGRESS_SECONDS", 0)
            report(50)
            went_on.append(True)

        monkeypatch.setattr(RUNNERS[OPERATION], "run", lose_it)

        assert running.work()

        assert (job.areas.get().status, went_on) == ("pending", [])

    def test_keeps_the_area_while_the_result_is_stored(self, job, monkeypatch):
        def run_long(*_):
            GenerationArea.objects.update(claimed_until=Now() - timedelta(seconds=1))
            return Result(b"png", "image/png", 1, 1)

        def store(**fields):
            assert sweeping.take_back_lost_claims() == 0
            return complete_area(**fields)

        monkeypatch.setattr(RUNNERS[OPERATION], "run", run_long)
        monkeypatch.setattr(running, "complete_area", store)

        assert running.work()

        assert job.areas.get().status == "completed"

    def test_stores_nothing_once_another_has_the_area(self, job, monkeypatch):
        def run_too_long(*_):
            lose_lease(job.areas.get())
            return Result(b"png", "image/png", 1, 1)

        monkeypatch.setattr(RUNNERS[OPERATION], "run", run_too_long)
        monkeypatch.setattr(running, "complete_area", None)

        assert not running.run_area(claim())

        assert job.areas.get().status == "pending"

    def test_goes_on_where_a_worker_died_without_paying_again(self, job, organization, monkeypatch):
        def die(*_):
            raise Dies

        with monkeypatch.context() as patched:
            patched.setattr(RUNNERS[OPERATION], "run", die)
            with pytest.raises(Dies):
                running.work()
        lose_lease(job.areas.get())

        work_off()

        job.refresh_from_db()
        assert (job.status, job.areas.get().claims, refunds()) == ("completed", 2, 0)
        assert (Attempt.objects.count(), available(organization)) == (1, 95)

    def test_gives_up_and_refunds_what_takes_five_workers_down(self, job, organization):
        for _ in range(MOST_CLAIMS):
            lose_lease(claim())

        assert claim() is None
        job.refresh_from_db()
        assert (job.status, job.areas.get().error_code, refunds()) == ("failed", "gave_up", 1)
        assert available(organization) == 100


class TestSeveralAreas:
    def test_keep_what_worked_and_refund_what_failed(self, organization):
        job = make_areas(organization, plain=[False, True, False])
        assert available(organization) == 85

        work_off()

        job.refresh_from_db()
        found = list(job.areas.order_by("position").values_list("status", flat=True))
        assert found == ["completed", "failed", "completed"]
        assert (job.status, job.completed_areas, job.failed_areas) == ("completed", 2, 1)
        assert (job.cost, job.refunded, available(organization)) == (15, 5, 90)
        assert is_sound()

    def test_end_the_job_with_the_last_of_them(self, organization):
        job = make_areas(organization, plain=[True, False])

        running.work()
        job.refresh_from_db()
        assert (job.status, job.failed_areas, events_of(job)) == ("processing", 1, [])
        running.work()

        job.refresh_from_db()
        assert (job.status, events_of(job)) == ("completed", ["job.completed"])

    def test_fail_the_job_if_none_works(self, organization):
        job = make_areas(organization, plain=[True, True])

        work_off()

        job.refresh_from_db()
        assert (job.status, events_of(job)) == ("failed", ["job.failed"])
        assert available(organization) == 100

    def test_that_wait_can_be_cancelled_while_another_runs(self, organization):
        job = make_areas(organization)
        area = claim()

        cancel_job(job=job)

        job.refresh_from_db()
        assert (job.status, job.cancelled_areas, available(organization)) == ("processing", 2, 95)
        fail_area(area=area, claim=area.claim, code="test", message="It broke")
        job.refresh_from_db()
        assert (job.status, available(organization)) == ("failed", 100)
        assert is_sound()


class TestTheEventOfAJob:
    def test_says_how_it_ended(self, organization):
        job = make_areas(organization, plain=[False, True])

        work_off()

        event = OutboxEvent.objects.get(object_id=job.public_id)
        facts = {name: event.data[name] for name in ("status", "failed_areas", "cost", "refunded")}
        assert event.organization == organization
        assert facts == {"status": "completed", "failed_areas": 1, "cost": 10, "refunded": 5}

    def test_is_not_there_if_the_job_did_not_end(self, job, monkeypatch):
        area = claim()
        monkeypatch.setattr(
            "apps.jobs.services.ending.outbox.emit", lambda **_: (_ for _ in ()).throw(Dies)
        )

        with pytest.raises(Dies):
            fail_area(area=area, claim=area.claim, code="test", message="It broke")

        assert GenerationJob.objects.get().status == "processing"
        assert refunds() == 0


class TestALostClaim:
    """A worker that was too slow finds the area done by another, and writes nothing."""

    @pytest.fixture
    def slow(self, job):
        claimed = claim()
        lose_lease(claimed)
        work_off()
        return claimed

    def test_completes_nothing_and_leaves_no_file(self, slow):
        picture = default_storage.open(slow.upload.file.name).read()
        result = RUNNERS[OPERATION].run(picture, slow.parameters, lambda _: None)
        folder = f"results/{slow.organization_id}"
        before = default_storage.listdir(folder)[1]

        assert not complete_area(area=slow, claim=slow.claim, result=result)

        assert default_storage.listdir(folder)[1] == before

    def test_fails_and_refunds_nothing(self, slow, organization):
        assert not fail_area(area=slow, claim=slow.claim, code="late", message="Too late")

        slow.refresh_from_db()
        assert (slow.status, refunds(), available(organization)) == ("completed", 0, 95)


class TestAClaimThatAnotherHasNow:
    """The other one still works on it: only the claim tells whose area it is."""

    def test_lets_the_first_write_nothing(self, job):
        first = claim()
        lose_lease(first)
        second = claim()

        assert not fail_area(area=first, claim=first.claim, code="late", message="Too late")

        second.refresh_from_db()
        assert (second.status, refunds()) == ("processing", 0)


class TestADeadline:
    @pytest.fixture
    def overdue(self, organization):
        """A job of two areas, one of them taken, that had to end a second ago."""
        job = make_areas(organization, plain=[False, False])
        area = claim()
        GenerationJob.objects.update(deadline=Now() - timedelta(seconds=1))
        return job, area

    def test_fails_and_refunds_what_waits_and_what_runs(self, overdue, organization):
        job, area = overdue

        assert sweeping.fail_what_is_overdue() == 1
        assert sweeping.fail_what_is_overdue() == 0

        job.refresh_from_db()
        assert {one.error_code for one in job.areas.all()} == {"deadline_exceeded"}
        assert (job.status, job.failed_areas, available(organization)) == ("failed", 2, 100)
        assert not fail_area(area=area, claim=area.claim, code="late", message="Too late")
        assert is_sound()

    def test_is_held_against_a_result_that_comes_too_late(self, overdue, organization):
        _, area = overdue

        assert not running.run_area(area)

        area.refresh_from_db()
        assert (area.status, area.error_code) == ("failed", "deadline_exceeded")
        assert available(organization) == 95

    def test_keeps_what_waits_from_workers(self, overdue, organization):
        assert claim() is None

        assert available(organization) == 100

    def test_of_one_that_cannot_be_failed_keeps_no_other(self, overdue, organization, monkeypatch):
        broken, _ = overdue
        other = make_areas(organization, plain=[False])
        GenerationJob.objects.update(deadline=Now() - timedelta(seconds=1))
        real = sweeping.end_areas

        def end_areas(job, *rest):
            if job == broken:
                raise KeyError(job.pk)
            real(job, *rest)

        monkeypatch.setattr(sweeping, "end_areas", end_areas)
        assert sweeping.fail_what_is_overdue(limit=1) == 1
        other.refresh_from_db()
        assert other.status == "failed"

    def test_that_was_moved_since_the_sweep_looked_counts(self, overdue):
        job, _ = overdue
        job.refresh_from_db()  # as the sweep found it
        GenerationJob.objects.update(deadline=Now() + timedelta(hours=1))

        assert not sweeping._fail_overdue(job)

    def test_leaves_in_peace_what_has_time(self, job):
        assert sweeping.fail_what_is_overdue() == 0


class TestRingForWaitingAreas:
    def test_rings_for_what_was_forgotten(self, job, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks() as rung:
            assert sweeping.ring_for_waiting_areas() == 0
            GenerationArea.objects.update(updated_at=Now() - timedelta(seconds=11))
            assert sweeping.ring_for_waiting_areas() == 1

        assert len(rung) == 1

    def test_is_not_done_for_what_workers_outside_do(self, organization, monkeypatch):
        rung = []
        monkeypatch.setattr(queue, "enqueue", lambda name, **_: rung.append(name))
        make_external()
        job = submit_outside(organization)
        area = claim_area(operations=[OUTLINE], worker="test")
        assert give_back(area=area, claim=area.claim)
        GenerationArea.objects.update(updated_at=Now() - timedelta(seconds=11))
        assert sweeping.ring_for_waiting_areas() == 0
        area = claim_area(operations=[OUTLINE], worker="test")
        assert fail_area(area=area, claim=area.claim, code="no", message="No.")
        retry_job(job=job, by=job.user)
        assert "jobs.work" not in rung

        make_job(organization)

        assert rung.count("jobs.work") == 1

    def test_takes_back_what_a_dead_worker_left(self, job):
        area = claim()
        assert sweeping.take_back_lost_claims() == 0

        lose_lease(area)

        assert job.areas.get().status == "pending"

    def test_leaves_what_is_done_in_peace(self, job):
        work_off()
        GenerationArea.objects.update(updated_at=Now() - timedelta(days=1))

        assert sweeping.ring_for_waiting_areas() == 0

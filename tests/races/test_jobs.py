"""Jobs that several want at once: real connections, real commits."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from apps.core import idempotency
from apps.core.errors import DomainError
from apps.core.idempotency import Answer
from apps.core.invariants import verify
from apps.jobs.errors import JobNotCancellable, JobNotRetryable
from apps.jobs.models import Attempt, GenerationJob
from apps.jobs.models.queues import CONCURRENCY
from apps.jobs.services import changing, running, submission, sweeping
from apps.jobs.services.ending import fail_area
from apps.jobs.services.submission import AreaRequest
from apps.tenants.models import OutboxEvent
from tests.jobs.work import (
    OPERATION,
    available,
    claim,
    make_areas,
    make_job,
    make_upload,
    set_price,
    work_off,
)
from tests.people import make_member, make_organization
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 8


def is_sound() -> bool:
    return all(finding.failures == 0 for finding in verify())


@pytest.fixture
def organization():
    set_price()
    return make_organization()


class TestWorkersAtOneArea:
    def test_let_one_of_them_run_it(self, organization):
        job = make_job(organization)

        ran = at_once([running.work] * RACERS)

        area = job.areas.get()
        assert (ran.count(True), area.claims, area.status) == (1, 1, "completed")


class TestWorkersAtManyAreas:
    def test_take_each_of_them_once_and_never_too_many_of_one_organization(self, organization):
        set_price(1)
        make_areas(organization, plain=[False] * RACERS)
        make_areas(make_organization(), plain=[False] * RACERS)

        taken = [area for area in at_once([claim] * 2 * RACERS) if area]

        counts = Counter(area.organization_id for area in taken)
        assert len({area.pk for area in taken}) == len(taken)
        # What one worker did not see while another held it, the next one takes.
        while area := claim():
            counts[area.organization_id] += 1
        assert list(counts.values()) == [CONCURRENCY, CONCURRENCY]

    def test_do_all_of_them_and_take_no_unit_too_much(self, organization):
        make_areas(organization, plain=[number % 4 == 0 for number in range(RACERS)])
        make_areas(make_organization(), plain=[number % 3 == 0 for number in range(RACERS)])

        at_once([work_off] * 4)
        work_off()

        assert not GenerationJob.objects.exclude(status="completed").exists()
        assert available(organization) == 100 - 5 * (RACERS - RACERS // 4)
        assert is_sound()


class TestCancellingWhatIsBeingClaimed:
    def test_ends_in_one_way_or_the_other(self, organization):
        for _ in range(10):
            job = make_job(organization)

            def cancel(job=job) -> str:
                try:
                    changing.cancel_job(job=job)
                except JobNotCancellable:
                    return "late"
                return "cancelled"

            outcome, ran = at_once([cancel, running.work])

            job.refresh_from_db()
            assert (outcome == "cancelled") != ran
            assert job.status == ("cancelled" if outcome == "cancelled" else "completed")
        assert is_sound()


class TestEndsThatMeet:
    """However many want to end one area, its attempt is settled once."""

    def test_refund_once(self, organization):
        job = make_areas(organization, plain=[False, False])
        area = claim()
        GenerationJob.objects.update(deadline=Now() - timedelta(seconds=1))

        def fail() -> bool:
            return fail_area(area=area, claim=area.claim, code="test", message="It broke")

        at_once([fail, fail, sweeping.fail_what_is_overdue, sweeping.fail_what_is_overdue])

        job.refresh_from_db()
        assert (job.status, job.refunded, available(organization)) == ("failed", 10, 100)
        assert OutboxEvent.objects.filter(object_id=job.public_id).count() == 1
        assert is_sound()

    def test_of_two_areas_end_the_job_once(self, organization):
        for _ in range(5):
            job = make_areas(organization, plain=[False, True])
            areas = [claim(), claim()]

            at_once([lambda area=area: running.run_area(area) for area in areas])

            job.refresh_from_db()
            assert (job.status, job.completed_areas, job.failed_areas) == ("completed", 1, 1)
            assert OutboxEvent.objects.filter(object_id=job.public_id).count() == 1
        assert is_sound()


class TestRetriesThatMeet:
    def test_pay_once(self, organization):
        job = make_job(organization, plain=True)
        work_off()

        def retry() -> bool:
            try:
                changing.retry_job(job=job, by=job.user)
            except JobNotRetryable:
                return False
            return True

        assert at_once([retry] * RACERS).count(True) == 1
        assert (Attempt.objects.count(), available(organization)) == (2, 95)
        assert is_sound()


class TestOneKeySentByMany:
    def test_makes_one_job(self, organization):
        user = make_member(organization, "developer")
        upload = make_upload(organization, user)

        def effect() -> Answer:
            job = submission.submit_job(
                organization=organization,
                user=user,
                operation=OPERATION,
                areas=[AreaRequest(upload, {"style": "dusk"})],
            )
            return Answer(201, {"id": job.public_id})

        def send() -> str:
            try:
                answer = idempotency.run_once(
                    scope="test", key="key-1", digest=b"d" * 32, effect=effect
                )
            except DomainError as error:
                return error.code
            return "replayed" if answer.is_replayed else "done"

        outcomes = at_once([send] * RACERS)

        assert outcomes.count("done") == 1
        assert set(outcomes) <= {"done", "replayed", "idempotency_in_progress"}
        assert (GenerationJob.objects.count(), available(organization)) == (1, 95)


class TestMoreJobsThanCredits:
    def test_are_paid_as_far_as_the_credits_go(self, organization):
        set_price(30)
        user = make_member(organization, "developer")
        upload = make_upload(organization, user)

        def submit() -> bool:
            try:
                submission.submit_job(
                    organization=organization,
                    user=user,
                    operation=OPERATION,
                    areas=[AreaRequest(upload, {"style": "dusk"})],
                )
            except DomainError:
                return False
            return True

        assert at_once([submit] * RACERS).count(True) == 3
        assert available(organization) == 10

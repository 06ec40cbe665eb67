"""Jobs that several want at once: real connections, real commits."""

import pytest

from apps.core import idempotency
from apps.core.errors import DomainError
from apps.core.idempotency import Answer
from apps.core.invariants import verify
from apps.jobs.errors import JobNotCancellable
from apps.jobs.models import GenerationJob
from apps.jobs.services import running, submission
from tests.jobs.work import OPERATION, available, make_job, make_upload, set_price
from tests.people import make_member, make_organization
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 8


@pytest.fixture
def organization():
    set_price()
    return make_organization()


class TestWorkersAtOneJob:
    def test_let_one_of_them_run_it(self, organization):
        job = make_job(organization)

        ran = at_once([lambda: running.run_job(job_id=job.id)] * RACERS)

        job.refresh_from_db()
        assert (ran.count(True), job.attempts, job.status) == (1, 1, "completed")


class TestCancellingWhatIsBeingClaimed:
    def test_ends_in_one_way_or_the_other(self, organization):
        for _ in range(15):
            job = make_job(organization)

            def cancel(job=job) -> str:
                try:
                    submission.cancel_job(job=GenerationJob.objects.get(pk=job.pk))
                except JobNotCancellable:
                    return "late"
                return "cancelled"

            outcome, ran = at_once([cancel, lambda job=job: running.run_job(job_id=job.id)])

            job.refresh_from_db()
            assert (outcome == "cancelled") != ran
            assert job.status == ("cancelled" if outcome == "cancelled" else "completed")
        assert all(finding.failures == 0 for finding in verify())


class TestOneKeySentByMany:
    def test_makes_one_job(self, organization):
        user = make_member(organization, "developer")
        upload = make_upload(organization, user)

        def effect() -> Answer:
            job = submission.submit_job(
                organization=organization,
                user=user,
                operation=OPERATION,
                parameters={"style": "dusk"},
                upload=upload,
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
                    parameters={"style": "dusk"},
                    upload=upload,
                )
            except DomainError:
                return False
            return True

        assert at_once([submit] * RACERS).count(True) == 3
        assert available(organization) == 10

"""Workers outside that want the same at once: real connections, real commits."""

import pytest
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from apps.core.errors import DomainError
from apps.core.invariants import verify
from apps.jobs.models import Attempt, GenerationArea, WorkerClaim
from apps.jobs.services import sweeping, worker_claims
from tests.jobs.outside import make_external, make_worker_key, submit_outside
from tests.jobs.work import available, picture
from tests.people import make_organization
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 6
PICTURE = picture()


@pytest.fixture
def organization():
    make_external()
    return make_organization()


def is_sound() -> bool:
    return all(finding.failures == 0 for finding in verify())


def outcome_of(deed, **what) -> str:
    """Return "done", or the code of the refusal."""
    try:
        deed(**what)
    except DomainError as error:
        return error.code
    return "done"


def claimed(organization) -> WorkerClaim:
    submit_outside(organization)
    claim = worker_claims.take(key=make_worker_key()[0])
    assert claim is not None
    return claim


class TestWorkersOutside:
    def test_never_take_the_same_area(self, organization):
        submit_outside(organization, areas=3)
        keys = [make_worker_key()[0] for _ in range(RACERS)]

        taken = at_once([lambda key=key: worker_claims.take(key=key) for key in keys])
        taken += [worker_claims.take(key=keys[0]) for _ in range(3)]  # whom others were before

        areas = [claim.area_id for claim in taken if claim]
        assert len(areas) == len(set(areas)) == 3
        assert all(area.claims == 1 for area in GenerationArea.objects.all())


class TestACallThatIsRepeatedAtOnce:
    def test_completes_once_and_answers_all(self, organization):
        claim = claimed(organization)

        answers = at_once(
            [lambda: outcome_of(worker_claims.complete, claim=claim, content=PICTURE)] * RACERS
        )

        assert answers == ["done"] * RACERS
        assert len(default_storage.listdir(f"results/{organization.pk}")[1]) == 1
        area = GenerationArea.objects.get()
        assert default_storage.exists(str(area.result))
        assert available(organization) == 92
        assert is_sound()

    def test_fails_once_and_answers_all(self, organization):
        claim = claimed(organization)
        why = {"code": "no", "message": "No."}

        answers = at_once([lambda: outcome_of(worker_claims.fail, claim=claim, **why)] * RACERS)

        assert answers == ["done"] * RACERS
        assert (available(organization), Attempt.objects.get().refunded) == (100, 8)
        assert is_sound()


class TestTheEndsOfOneClaim:
    def test_that_meet_count_once(self, organization):
        for _ in range(3):
            claim = claimed(organization)

            answers = at_once(
                [
                    lambda c=claim: outcome_of(worker_claims.complete, claim=c, content=PICTURE),
                    lambda c=claim: outcome_of(worker_claims.fail, claim=c, code="no", message="N"),
                    lambda c=claim: outcome_of(worker_claims.release, claim=c),
                ]
            )

            assert sorted(answers) == ["claim_lost", "claim_lost", "done"]
            claim.area.refresh_from_db()
            ended = ("completed", "failed", "pending")[answers.index("done")]
            assert claim.area.status == ended
            if ended == "pending":  # or the next turn would take it
                again = worker_claims.take(key=make_worker_key()[0])
                worker_claims.complete(claim=again, content=PICTURE)
        assert is_sound()


class TestALostLease:
    def test_and_its_worker_do_not_both_win(self, organization):
        for _ in range(3):
            claim = claimed(organization)
            GenerationArea.objects.filter(pk=claim.area_id).update(claimed_until=Now())

            answer, taken_back = at_once(
                [
                    lambda c=claim: outcome_of(worker_claims.complete, claim=c, content=PICTURE),
                    sweeping.take_back_lost_claims,
                ]
            )

            assert (answer, taken_back) in [("done", 0), ("claim_lost", 1)]
            if taken_back:
                again = worker_claims.take(key=make_worker_key()[0])
                assert (again.area_id, again.area.claims) == (claim.area_id, 2)
                worker_claims.complete(claim=again, content=PICTURE)
        assert available(organization) == 100 - 3 * 8
        assert is_sound()

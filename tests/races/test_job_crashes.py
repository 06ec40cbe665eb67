"""A process dies after each statement of each step of a job: paid work is done work."""

from collections.abc import Callable
from functools import partial
from itertools import count

import pytest
from django.db.models import F, Sum
from django.db.models.functions import Now

from apps.core.invariants import verify
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.grants import grant_credits
from apps.jobs.models import GenerationArea, GenerationJob
from apps.jobs.services import changing, running, submission, sweeping
from apps.jobs.services.ending import fail_area, give_back
from apps.jobs.services.submission import AreaRequest
from tests.jobs.work import OPERATION, available, claim, make_upload, picture, set_price, work_off
from tests.people import make_member, make_organization
from tests.races.crashes import dies_after

pytestmark = pytest.mark.django_db(transaction=True)
CREDITS = 1000


class Scene:
    """An organization with a good and a bad picture, where one job after the other dies."""

    def __init__(self) -> None:
        set_price(1)
        self.organization = make_organization()
        grant_credits(
            wallet=main_wallet(self.organization),
            amount=CREDITS - 100,  # beside the trial
            kind=Lot.Kind.PURCHASE,
            reference="payment:1",
            source="payment",
        )
        self.user = make_member(self.organization, "developer")
        self.good = make_upload(self.organization, self.user)
        self.bad = make_upload(self.organization, self.user, picture(plain=True))

    def submit(self, *uploads) -> GenerationJob:
        return submission.submit_job(
            organization=self.organization,
            user=self.user,
            operation=OPERATION,
            areas=[AreaRequest(one, {"style": "dusk"}) for one in uploads or [self.good]],
        )

    def failed(self) -> GenerationJob:
        job = self.submit(self.bad)
        work_off()
        return job

    def claimed(self) -> GenerationArea:
        self.submit()
        return claim()

    def heal(self) -> None:
        """Let leases run out, and let the sweep and a worker do what is left."""
        GenerationArea.objects.filter(status="processing").update(claimed_until=Now())
        sweeping.take_back_lost_claims()
        work_off()


# What is prepared for each crash, and what dies.
STEPS: dict[str, tuple[Callable[[Scene], object], Callable[[Scene, object], object]]] = {
    "submit": (lambda scene: None, lambda scene, _: scene.submit()),
    "work": (lambda scene: scene.submit(), lambda scene, _: running.work()),
    "fail": (
        lambda scene: scene.claimed(),
        lambda scene, area: fail_area(area=area, claim=area.claim, code="test", message="Bad"),
    ),
    "give_back": (
        lambda scene: scene.claimed(),
        lambda scene, area: give_back(area=area, claim=area.claim),
    ),
    "retry": (
        lambda scene: scene.failed(),
        lambda scene, job: changing.retry_job(job=job, by=job.user),
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_death_anywhere_leaves_nothing_paid_and_undone(step):
    scene = Scene()
    prepare, deed = STEPS[step]
    died = 0

    for statement in count(1):
        thing = prepare(scene)
        if not dies_after(statement, partial(deed, scene, thing)):
            break
        died += 1
        scene.heal()

    scene.heal()
    jobs = GenerationJob.objects.all()
    kept = jobs.aggregate(kept=Sum(F("cost") - F("refunded")))["kept"]
    done = GenerationArea.objects.filter(status="completed").count()
    assert died > 3
    assert not jobs.filter(status__in=["pending", "processing"]).exists()
    assert (kept, available(scene.organization)) == (done, CREDITS - done)
    assert all(finding.failures == 0 for finding in verify())

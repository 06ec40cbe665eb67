"""A process dies after each statement of each step of a job, and the sweep and a worker go on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count

from django.db.models.functions import Now

from apps.jobs.models import GenerationArea, GenerationJob
from apps.jobs.models.areas import MOST_CLAIMS
from apps.jobs.services import changing, running, sweeping
from figures.jobs_controls import paying_at_each_claim
from figures.jobs_runner import FIXED, METERED
from figures.jobs_shop import Customer, Shop, opened
from figures.lines import SCALE, Figure, Report, scaled
from tests.jobs.work import work_off
from tests.races.crashes import dies_after

CRASHES = 500
SHAPES = ((FIXED, 1), (METERED, 1), (FIXED, 3))  # operation, and areas of each job
STRIDE = max(1, round(1 / SCALE))  # statements between two deaths, in a smaller run
STRIDE_OF_CONTROL = 4


@dataclass(frozen=True)
class Stage:
    """Where one job after the other dies."""

    customer: Customer
    operation: str
    areas: int

    def submitted(self, deed: str = "good") -> GenerationJob:
        """Return a job that waits."""
        return self.customer.submit([deed] * self.areas, operation=self.operation)

    def failed(self) -> GenerationJob:
        """Return a job that failed, and will succeed when it is tried again."""
        job = self.submitted("bad_first")
        work_off()
        return job

    def lost(self, *, claims: int = 1) -> GenerationJob:
        """Return a job whose worker is not heard of any more."""
        job = self.submitted()
        running.claim_area(operations=[self.operation], worker="figure")
        areas = GenerationArea.objects.filter(job=job, status="processing")
        areas.update(claimed_until=Now(), claims=claims)
        return job

    def overdue(self) -> GenerationJob:
        """Return a job that waits longer than it may."""
        job = self.submitted()
        GenerationJob.objects.filter(pk=job.pk).update(deadline=Now())
        return job


@dataclass(frozen=True)
class Step:
    """What is there before, and what dies in the middle."""

    prepare: Callable[[Stage], object]
    deed: Callable[[Stage, object], object]


STEPS = {
    "charge": Step(lambda stage: None, lambda stage, _: stage.submitted()),
    "run and complete": Step(Stage.submitted, lambda stage, _: running.work()),
    "fail and refund": Step(lambda stage: stage.submitted("bad"), lambda stage, _: running.work()),
    "requeue": Step(Stage.lost, lambda stage, _: sweeping.take_back_lost_claims()),
    "give up": Step(
        lambda stage: stage.lost(claims=MOST_CLAIMS),
        lambda stage, _: sweeping.take_back_lost_claims(),
    ),
    "deadline": Step(Stage.overdue, lambda stage, _: sweeping.fail_what_is_overdue()),
    "retry": Step(Stage.failed, lambda stage, job: changing.retry_job(job=job, by=job.user)),
    "cancel": Step(Stage.submitted, lambda stage, job: changing.cancel_job(job=job)),
}


def crashes(report: Report) -> None:
    """Let each step die everywhere; then once more where a worker pays for what he takes."""
    with report.figure("job_crashes", asked=scaled(CRASHES)) as figure:
        with opened(1) as shop:
            for operation, areas in SHAPES * max(1, round(SCALE)):
                _die_everywhere(Stage(shop.customers[0], operation, areas), figure)
            figure.failures = shop.failures()
        with opened(1) as shop, paying_at_each_claim(is_keyed=True):
            _die_while_running(shop)
            figure.failures += shop.failures()
        with opened(1) as shop, paying_at_each_claim(is_keyed=False):
            died = _die_while_running(shop)
            doubled = sum(shop.overpaid())
        figure.control = "red" if doubled else "green"
        print(f"    paid twice without the key of the attempt: {doubled} credits, {died} crashes")


def _die_everywhere(stage: Stage, figure: Figure) -> None:
    for name, step in STEPS.items():
        died = sum(_deaths(stage, step, STRIDE))
        figure.examined += died
        print(f"    {stage.operation} of {stage.areas}, {name}: {died} crashes")


def _die_while_running(shop: Shop) -> int:
    stage = Stage(shop.customers[0], FIXED, 1)
    return sum(_deaths(stage, STEPS["run and complete"], STRIDE_OF_CONTROL))


def _deaths(stage: Stage, step: Step, stride: int) -> Iterator[int]:
    """Yield 1 for each statement after which the step died, and was healed."""
    for statement in count(1, stride):
        thing = step.prepare(stage)
        if not dies_after(statement, partial(step.deed, stage, thing)):
            heal()
            return
        heal()
        yield 1


def heal() -> None:
    """Let leases run out, and let the sweep and a worker do what is left."""
    GenerationArea.objects.filter(status="processing").update(claimed_until=Now())
    sweeping.take_back_lost_claims()
    sweeping.fail_what_is_overdue()
    work_off()

"""
What the story of capacity needs behind the scenes: a project, holds that end, a meter that is read.

Run in a process of its own (`manage.py shell`), because it works on the data of the running
stack: the environment says where these are.
"""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from apps.capacity.models import Allocation, GenerationReading, Project
from apps.capacity.selectors.projects import day_of
from apps.capacity.services import blocks, projects, readings, sharing, sweeping
from apps.core import clock, context

CODE, NAME = "story-roof", "Story roof"
BLOCK_KW, BLOCKS, FEE = 5, 2, 1000
CREDITS_PER_KWH, GENERATED_KWH = 2, 20


def prepare() -> None:
    """Open a project of two blocks, without notice: what is cancelled is free at once."""
    with context.acting(actor="system:demo"):
        project = projects.create_project(
            code=CODE, name=NAME, capacity_kw=Decimal(BLOCKS * BLOCK_KW), notice_days=0
        )
        projects.set_rate(
            project=project,
            effective_from=day_of(clock.workers_now()),
            fee=FEE,
            credits_per_kwh=Decimal(CREDITS_PER_KWH),
        )
        range_ = blocks.Range("S-", 1, BLOCKS)
        blocks.create_blocks(project=project, range_=range_, capacity_kw=Decimal(BLOCK_KW))
        projects.change_project(project, status=Project.Status.OPEN)


def let_holds_end() -> None:
    """Sweep as a worker does when the time of what is held now is over."""
    minutes = Project.objects.get(code=CODE).hold_minutes + 1
    with clock.moved_to(clock.workers_now() + timedelta(minutes=minutes)):
        assert sweeping.expire_reservations() >= 1


def read_the_meter() -> None:
    """
    Record on the day after what was generated on the first day, and divide it.

    The running worker hears of it, too, and may be the one that divides it.
    """
    first = Allocation.objects.filter(block__project__code=CODE).earliest("effective_from")
    day = first.effective_from
    with (
        context.acting(actor="system:demo"),
        clock.moved_to(datetime.combine(day + timedelta(days=1), time(12), UTC)),
    ):
        readings.record(
            project=first.block.project,
            starts_on=day,
            ends_on=day,
            energy_wh=GENERATED_KWH * 1000,
            source=GenerationReading.Source.STAFF,
        )
    sharing.share_due()  # today: a lot of tomorrow could not be spent yet

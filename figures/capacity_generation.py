"""
Generation that closes: shares and bank are what was read, to the unit, whatever happened.

Plants whose blocks change hands on any day, months in any order, corrections of corrections,
credits that are spent in between: after each posting all is worked out once more, day by day and
in whole numbers, and compared.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from random import Random
from unittest import mock

from django.db import transaction
from django.db.models import Sum

from apps.capacity.models import Allocation, CapacityBlock, GenerationReading, Project
from apps.capacity.models import ProjectRate as Rate
from apps.capacity.services import sharing
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount
from apps.tenants.models import Organization
from figures.capacity_sums import faults_of
from figures.lines import SEED, Report, scaled
from tests.capacity.months import correct, read
from tests.capacity.plants import add_block, make_project
from tests.database import migrated_database
from tests.people import make_organization

PLANTS, OF_CONTROL = 100, 10
SIZES = ("0.5", "1", "2.5", "7.001", "30")  # kW
FIRST, DAYS = date(2026, 6, 1), 120
PERIODS = [FIRST + timedelta(days=30 * number) for number in range(4)]
STANDS = 0.5  # of the plants have blocks that are somebody's until further notice
SHRINKS = 0.5  # of the others have fewer kW by now than were once given out


def generation_closes(report: Report) -> None:
    """Let plants generate; and with each share rounded by itself, and with credits done wrong."""
    with report.figure("generation_closes", asked=scaled(PLANTS)) as figure, migrated_database():
        organizations = [make_organization() for _ in range(3)]
        for number in range(scaled(PLANTS)):
            found = run_plant(Random(SEED + number), organizations)
            figure.examined += 1
            figure.failures += bool(found)
            for fault in found[:3]:
                print(f"    plant {number}: {fault}", flush=True)
        figure.control = "red"
        for said, wrongly in CONTROLS.items():
            with wrongly():
                plants = (run_plant(Random(SEED + n), organizations) for n in range(OF_CONTROL))
                wrong = sum(map(bool, plants))
            print(f"    {said}: {wrong} of {OF_CONTROL} plants wrong", flush=True)
            figure.control = figure.control if wrong else "green"


@contextmanager
def rounded_alone() -> Iterator[None]:
    """Round each share for itself, and leave the bank what is left."""
    by_rank = re.compile(r"(wh|mills) \+ \(row_number\(\).*?\)::int AS \1", re.DOTALL)
    half = r"\1 + (\1_rest * 2 >= (SELECT weight FROM whole))::int AS \1"
    statement, replaced = by_rank.subn(half, sharing.DIVIDE)
    assert replaced == 2, "the statement divides twice"
    bank = re.compile(r"= (energy_wh|100) - (\(SELECT .* FROM put\)),")  # a CHECK would stop it
    statement, replaced = bank.subn(r"= greatest(0, \1 - \2),", statement)
    assert replaced == 2, "the bank has what is left, of both"
    with mock.patch.object(sharing, "DIVIDE", statement):
        yield


@contextmanager
def said_otherwise(right: str, wrong: str) -> Iterator[None]:
    """Divide by a statement in which one thing is wrong."""
    assert sharing.DIVIDE.count(right) == 1
    with mock.patch.object(sharing, "DIVIDE", sharing.DIVIDE.replace(right, wrong)):
        yield


CONTROLS: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "each share rounded by itself": rounded_alone,
    "fractions of a credit rounded up": partial(said_otherwise, "floor(earned", "ceil(earned"),
    "what was corrected counts as well": partial(
        said_otherwise,
        "CASE WHEN correction.id IS NULL THEN share.earned ELSE 0 END",
        "share.earned",
    ),
    "paid for one day of each rate": partial(
        said_otherwise,
        "least(rate.ends, days.ends)",
        "least(rate.ends, days.ends, greatest(rate.begins, days.begins) + 1)",
    ),
}


@transaction.atomic
def run_plant(rng: Random, organizations: Sequence[Organization]) -> list[str]:
    """
    Let a plant have a season that the numbers decide, and take it back; return what was wrong.

    What is drawn of the numbers depends on nothing else, so that the same ones are the same season.
    """
    project, found = make_plant(rng, organizations), []
    for starts_on in rng.sample(PERIODS, len(PERIODS)):
        ends_on = starts_on + timedelta(days=rng.randint(0, 29))
        read(project, rng.randint(0, 10 ** rng.randint(0, 9)), (starts_on, ends_on))
        for _ in range(rng.randint(0, 2)):
            _correct_one(rng, project)
        while sharing.take_step(project.pk):
            pass  # and nothing is caught: a control is red for its sums, and for no error
        found += faults_of(project)
        if rng.random() < 0.5:
            _spend(rng, rng.choice(organizations))
    transaction.set_rollback(True)
    return found


def make_plant(rng: Random, organizations: Sequence[Organization]) -> Project:
    """Make a project whose blocks have had one owner after another, and sometimes none."""
    sizes = rng.choices(SIZES, k=rng.randint(0, 5))
    blocks_kw = sum(map(Decimal, sizes))
    unsold = Decimal(rng.randint(0, 5000)) / 1000
    project = make_project(capacity_kw=blocks_kw + unsold or Decimal(1))
    for day in rng.sample(range(DAYS), rng.randint(0, 3)):
        pays = Decimal(rng.randint(0, 3_000_000)) / 1_000_000
        Rate.objects.create(
            project=project,
            effective_from=FIRST + timedelta(days=day),
            fee=1,
            credits_per_kwh=pays,
        )
    stands = rng.random() < STANDS
    for size in sizes:
        _give_out(rng, add_block(project, size), organizations, stands=stands)
    if not stands and rng.random() < SHRINKS:
        retired = {"state": CapacityBlock.State.RETIRED, "retired_at": datetime.now(UTC)}
        project.blocks.update(**retired)
        project.blocks_kw, project.capacity_kw = Decimal(0), Decimal(rng.randint(1, 5000)) / 1000
        project.save()
    return project


def _give_out(
    rng: Random, block: CapacityBlock, organizations: Sequence[Organization], *, stands: bool
) -> None:
    """Let a block have one owner after another, and, if it stands, one until further notice."""
    cuts = sorted(rng.sample(range(DAYS), rng.randint(0, 4)))
    days = [FIRST + timedelta(days=cut) for cut in [0, *cuts, DAYS]]
    owned = [
        Allocation(
            organization=rng.choice(organizations),
            block=block,
            capacity_kw=block.capacity_kw,
            effective_from=begins,
            effective_to=ends,
            ending=Allocation.Ending.WITHDRAWN,
            released_at=datetime(ends.year, ends.month, ends.day, tzinfo=UTC),
        )
        for begins, ends in pairwise(days)
        if rng.random() < 0.8
    ]
    if stands and owned:
        owned[-1].effective_to, owned[-1].ending, owned[-1].released_at = None, "", None
    Allocation.objects.bulk_create(owned)


def _correct_one(rng: Random, project: Project) -> None:
    newest = GenerationReading.objects.filter(project=project, corrected_by=None)
    reading = rng.choice(list(newest.order_by("starts_on")))
    wh = reading.energy_wh * rng.randint(0, 20) // 10
    correct(reading, wh + (wh == reading.energy_wh))


def _spend(rng: Random, organization: Organization) -> None:
    """Spend a part of all that there is, of what was generated as well."""
    wallet = main_wallet(organization)
    there = Lot.objects.filter(wallet=wallet).aggregate(sum=Sum("remaining", default=0))["sum"]
    tenths, number = rng.randint(0, 10), rng.getrandbits(64)
    if amount := there * tenths // 10:
        charge_amount(wallet=wallet, amount=amount, reference=f"figure:{number}", source="figure")

"""
Generation that closes: shares and bank are what was read, to the unit, whatever happened.

Plants whose blocks change hands on any day, months in any order, corrections of corrections,
credits that are spent in between: after each posting all is worked out once more, day by day and
in whole numbers, and compared.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from unittest import mock

from django.db import transaction
from django.db.models import Q, Sum

from apps.capacity.models import Allocation, GenerationReading, GenerationShare, Project
from apps.capacity.models import ProjectRate as Rate
from apps.capacity.services import sharing
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount
from apps.tenants.models import Organization
from figures.lines import SEED, Report, scaled
from tests.capacity.months import correct, read
from tests.capacity.plants import add_block, make_project
from tests.database import migrated_database
from tests.people import make_organization

PLANTS, OF_CONTROL = 100, 10
SIZES = ("0.5", "1", "2.5", "7.001", "30")  # kW
FIRST, DAYS = date(2026, 6, 1), 120
PERIODS = [FIRST + timedelta(days=30 * number) for number in range(4)]
CENTI_MILLE = 100_000  # thousandths of a percent


def generation_closes(report: Report) -> None:
    """Let plants generate, and the same with each share rounded by itself."""
    with report.figure("generation_closes", asked=scaled(PLANTS)) as figure, migrated_database():
        organizations = [make_organization() for _ in range(3)]
        for number in range(scaled(PLANTS)):
            found = run_plant(Random(SEED + number), organizations)
            figure.examined += 1
            figure.failures += bool(found)
            for fault in found[:3]:
                print(f"    plant {number}: {fault}", flush=True)
        with rounded_alone():
            wrong = sum(
                bool(run_plant(Random(SEED + number), organizations))
                for number in range(OF_CONTROL)
            )
        print(f"    each share rounded by itself: {wrong} of {OF_CONTROL} plants wrong")
        figure.control = "red" if wrong else "green"


@contextmanager
def rounded_alone() -> Iterator[None]:
    """Round each share for itself, and leave the bank what is left: the control."""
    by_rank = re.compile(r"(wh|mills) \+ \(row_number\(\).*?\)::int AS \1", re.DOTALL)
    half = r"\1 + (\1_rest * 2 >= (SELECT weight FROM whole))::int AS \1"
    statement, replaced = by_rank.subn(half, sharing.DIVIDE)
    assert replaced == 2, "the statement divides twice"
    statement = statement.replace("energy_wh - (SELECT", "greatest(0, energy_wh - (SELECT", 1)
    statement = statement.replace("FROM put),\n", "FROM put)),\n", 1)
    with mock.patch.object(sharing, "DIVIDE", statement):
        yield


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
        sharing.share_due()
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
    for size in sizes:
        block = add_block(project, size)
        cuts = sorted(rng.sample(range(DAYS), rng.randint(0, 4)))
        days = [FIRST + timedelta(days=cut) for cut in [0, *cuts, DAYS]]
        Allocation.objects.bulk_create(
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
        )
    return project


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


def faults_of(project: Project) -> list[str]:
    """Work out once more what was shared of a project, and say what is not so."""
    found: list[str] = []
    readings = GenerationReading.objects.filter(project=project).select_related("corrected_by")
    for reading in readings.order_by("created_at", "id"):
        if reading.posted_at is None:
            found.append(f"{reading} is not posted")
        else:
            found += _unequal(project, reading)
    return found + _unpaid(project)


def _unequal(project: Project, reading: GenerationReading) -> list[str]:
    """Compare shares with kW × days: they add up, and each is nearer than one unit."""
    days = [
        reading.starts_on + timedelta(days=day)
        for day in range((reading.ends_on - reading.starts_on).days + 1)
    ]
    weights: Counter[object] = Counter()
    for one in Allocation.objects.filter(block__project=project):
        his = sum(one.effective_from <= day < one.effective_to for day in days if one.effective_to)
        if his:
            weights[one.pk] = int(one.capacity_kw * 1000) * his
    whole = int(project.capacity_kw * 1000) * len(days)
    weights[None] = whole - weights.total()
    rows = reading.shares.values_list("allocation_id", "energy_wh", "percent")
    energy = {None: reading.banked_wh or 0, **{key: wh for key, wh, _ in rows}}
    mills = {None: reading.banked_percent, **{key: percent for key, _, percent in rows}}
    parts = {key: int((percent or 0) * 1000) for key, percent in mills.items()}
    found = []
    for name, unit, given in (("Wh", reading.energy_wh, energy), ("%", CENTI_MILLE, parts)):
        if given.keys() != weights.keys():
            found.append(f"{reading}: {name} of others than had a day")
        if sum(given.values()) != unit:
            found.append(f"{reading}: {name} add up to {sum(given.values())}, not {unit}")
        far = [key for key in given if abs(given[key] * whole - unit * weights[key]) >= whole]
        if far:
            found.append(f"{reading}: {len(far)} {name} are a whole unit from their part")
    return found


def _unpaid(project: Project) -> list[str]:
    """Compare credits with what was earned, and with what the ledger moved."""
    found = []
    holds = Q(reading__corrected_by=None)
    shares = GenerationShare.objects.filter(reading__project=project)
    by_allocation = shares.values_list("allocation_id").annotate(
        earned=Sum("earned", filter=holds, default=Decimal(0)), credits=Sum("credits")
    )
    for allocation_id, earned, credits in by_allocation:
        if earned - credits >= 1:
            found.append(f"{allocation_id} earned {earned} and got {credits}")
    readings = [one.public_id for one in GenerationReading.objects.filter(project=project)]
    moved = CreditTransaction.objects.filter(
        source="generation",
        source_id__in=readings,
        transaction_type__in=("earned", "clawed_back"),
    ).order_by()
    ledger = dict(moved.values_list("organization_id").annotate(Sum("amount")))
    said = dict(shares.order_by().values_list("organization_id").annotate(Sum("credits")))
    if {**dict.fromkeys(said, 0), **ledger} != said:
        found.append(f"the ledger moved {ledger}, and shares say {said}")
    return found

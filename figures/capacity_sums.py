"""What was read of a plant, worked out once more: day by day, in whole numbers, by no service."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from math import floor
from uuid import UUID

from django.db.models import Sum

from apps.capacity.models import Allocation, GenerationReading, GenerationShare, Project
from apps.credits.models import CreditTransaction, Lot

CENTI_MILLE = 100_000  # thousandths of a percent
MICRO = 10**6  # rates are whole numbers of millionths of a credit for a kWh
NANO = -9  # and what is earned, of billionths of a credit


def faults_of(project: Project) -> list[str]:
    """Work out once more what was shared of a project, and say what is not so."""
    found: list[str] = []
    readings = GenerationReading.objects.filter(project=project)
    posted = list(readings.select_related("correction_of").order_by("shared_at", "id"))
    for reading in posted:
        if reading.posted_at is None:
            found.append(f"{reading} is not posted")
        else:
            found += _unequal(project, reading)
    return found + list(_unpaid(project, posted)) + list(_unlike_the_ledger(posted))


def days_of(reading: GenerationReading) -> list[date]:
    """Return the days that a reading is about."""
    length = (reading.ends_on - reading.starts_on).days + 1
    return [reading.starts_on + timedelta(days=day) for day in range(length)]


def his_days(one: Allocation, days: list[date]) -> list[date]:
    """Return those of the days on which a block was his."""
    ends = one.effective_to or date.max
    return [day for day in days if one.effective_from <= day < ends]


def _unequal(project: Project, reading: GenerationReading) -> list[str]:
    """Compare shares with kW × days: they add up, and each is nearer than one unit."""
    days = days_of(reading)
    weights: Counter[object] = Counter()
    for one in Allocation.objects.filter(block__project=project):
        if his := his_days(one, days):
            weights[one.pk] = int(one.capacity_kw * 1000) * len(his)
    whole = max(int(project.capacity_kw * 1000) * len(days), weights.total())
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


def _unpaid(project: Project, readings: list[GenerationReading]) -> Iterator[str]:
    """Compare credits with Wh × the rates of the days, less what was given before."""
    rates = dict(project.rates.values_list("effective_from", "credits_per_kwh"))
    standing: defaultdict[UUID, dict[UUID, Decimal]] = defaultdict(dict)  # earned, by reading
    got: Counter[UUID] = Counter()
    for reading in readings:
        for share in reading.shares.select_related("allocation"):
            mine = standing[share.allocation_id]
            if reading.correction_of_id:
                mine.pop(reading.correction_of_id, None)
            his = his_days(share.allocation, days_of(reading))
            pays = sum(int(_rate_on(day, rates) * MICRO) for day in his)
            if share.earned != Decimal(share.energy_wh * pays // len(his)).scaleb(NANO):
                yield f"{reading}: {share.energy_wh} Wh earned {share.earned}"
            due = floor(share.earned + sum(mine.values()) - got[share.allocation_id])
            if share.credits != due and not (due < share.credits <= 0 and _is_spent(share)):
                yield f"{reading}: {due} credits are due, and {share.credits} were posted"
            mine[reading.pk] = share.earned
            got[share.allocation_id] += share.credits


def _rate_on(day: date, rates: dict[date, Decimal]) -> Decimal:
    since = [start for start in rates if start <= day]
    return rates[max(since)] if since else Decimal(0)


def _is_spent(share: GenerationShare) -> bool:
    """Tell whether nothing is left of what the corrected readings gave: no more can be taken."""
    origins, former = [], share.reading.correction_of
    while former is not None:
        origins.append(f"generation:{former.public_id}")
        former = former.correction_of
    lots = Lot.objects.filter(organization=share.organization_id, origin__in=origins)
    return not lots.aggregate(left=Sum("remaining", default=0))["left"]


def _unlike_the_ledger(readings: list[GenerationReading]) -> Iterator[str]:
    """Compare what shares say with what the ledger moved."""
    moved = CreditTransaction.objects.filter(
        source="generation",
        source_id__in=[reading.public_id for reading in readings],
        transaction_type__in=("earned", "clawed_back"),
    ).order_by()
    shares = GenerationShare.objects.filter(reading__in=readings).order_by()
    ledger = dict(moved.values_list("organization_id").annotate(Sum("amount")))
    said = dict(shares.values_list("organization_id").annotate(Sum("credits")))
    if {**dict.fromkeys(said, 0), **ledger} != said:
        yield f"the ledger moved {ledger}, and shares say {said}"

"""Months of generation for tests: who had blocks in them, and what was read."""

from datetime import UTC, date, datetime

from django.db.models import Sum

from apps.capacity.models import Allocation, GenerationReading, GenerationShare, Project
from apps.capacity.services import readings
from apps.capacity.services.sharing import share_due
from apps.core import clock
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount
from apps.tenants.models import Organization
from tests.capacity.plants import allocate

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
SEPTEMBER = (date(2026, 9, 1), date(2026, 9, 30))
Source = GenerationReading.Source
KWH = 1000  # Wh


def on(month: int, day: int = 1):
    """Return the instance's clock, moved to a day of 2026."""
    return clock.moved_to(datetime(2026, month, day, 12, tzinfo=UTC))


def had_since(
    organization: Organization, project: Project, kw: int | str, *, month: int, day: int = 1
) -> list[Allocation]:
    with on(month, day):
        return allocate(organization, project, kw)


def read(project: Project, wh: int, period: tuple[date, date] = OCTOBER) -> GenerationReading:
    """Record a reading and do nothing with it."""
    starts_on, ends_on = period
    return readings.record(
        project=project, starts_on=starts_on, ends_on=ends_on, energy_wh=wh, source=Source.STAFF
    )


def correct(reading: GenerationReading, wh: int) -> GenerationReading:
    return readings.correct(reading=reading, energy_wh=wh, source=Source.STAFF, note="Meter")


def generate(project: Project, wh: int, period: tuple[date, date] = OCTOBER) -> GenerationReading:
    """Record a reading and have it divided and posted."""
    reading = read(project, wh, period)
    share_due()
    reading.refresh_from_db()
    return reading


def corrected(reading: GenerationReading, wh: int) -> GenerationReading:
    """Correct a reading and have the difference posted."""
    correction = correct(reading, wh)
    share_due()
    correction.refresh_from_db()
    return correction


def credits_of(organization: Organization) -> int:
    rows = CreditTransaction.objects.filter(
        wallet=main_wallet(organization), reference__startswith="generation:"
    )
    return sum(rows.values_list("amount", flat=True))


def spend(organization: Organization, credits: int) -> None:
    wallet = main_wallet(organization)
    trial = Lot.objects.filter(wallet=wallet, kind="trial").aggregate(sum=Sum("remaining"))["sum"]
    charge_amount(wallet=wallet, amount=credits + (trial or 0), reference="job:1", source="job")


def share_of(organization: Organization, reading: GenerationReading) -> GenerationShare:
    return GenerationShare.objects.get(organization=organization, reading=reading)

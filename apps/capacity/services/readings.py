"""Write down what a project generated, and correct it; a worker divides it (`sharing`)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from apps.capacity.errors import ReadingCorrected, ReadingExists, ReadingRefused
from apps.capacity.models import GenerationReading, Project, ProjectRate
from apps.capacity.selectors.projects import day_of
from apps.capacity.services.locking import lock_project
from apps.core.clock import workers_now
from apps.core.db import inside_transaction
from apps.core.queue import enqueue
from apps.tenants.services import audit

LARGEST_ENERGY = 10**15  # Wh in one reading; what all of mankind uses in two weeks
LARGEST_CREDITS = 10**15  # in one lot, by the ledger
LONGEST_PERIOD = 366  # days

Source = GenerationReading.Source
Days = tuple[date, date]  # the first and the last one, both in it


@dataclass(frozen=True)
class Meter:
    """What readings of a project are checked against; asked for after its lock, to write."""

    project: Project
    most_wh: int  # in one reading: what it pays is one lot, which the ledger limits
    today: date


def meters_of(projects: Collection[Project]) -> dict[UUID, Meter]:
    """Return the meters of projects, by their ids, in as many queries for many as for one."""
    rates = ProjectRate.objects.filter(project__in=projects).order_by()
    highest = dict(rates.values_list("project").annotate(Max("credits_per_kwh")))
    today = day_of(workers_now())
    return {one.pk: Meter(one, _most_wh(highest.get(one.pk)), today) for one in projects}


def _most_wh(highest_rate: Decimal | None) -> int:
    if not highest_rate:
        return LARGEST_ENERGY
    return min(LARGEST_ENERGY, int(LARGEST_CREDITS * 1000 / highest_rate))


@transaction.atomic
def record(
    *,
    project: Project,
    starts_on: date,
    ends_on: date,
    energy_wh: int,
    source: Source,
    note: str = "",
) -> GenerationReading:
    """
    Write down what a project generated from one day to another, both in it.

    The same facts again are the same reading. Periods of a project do not overlap, and are
    over before they are read: days past have no new owners, so that who generated it is known.

    :raises ReadingExists: if this period has a reading of another amount.
    :raises ReadingRefused: if the period or the amount cannot be.
    """
    project = lock_project(project.pk)  # whoever reads the same project waits here
    former = GenerationReading.objects.filter(project=project, correction_of=None)
    same = former.filter(starts_on=starts_on, ends_on=ends_on).first()
    if same is not None:
        if same.energy_wh == energy_wh:
            return same
        raise ReadingExists(
            starts_on=str(starts_on),
            ends_on=str(ends_on),
            energy_wh=same.energy_wh,
            reading=same.public_id,
        )
    others = former.filter(starts_on__lte=ends_on, ends_on__gte=starts_on)
    check_new(
        meters_of([project])[project.pk],
        (starts_on, ends_on),
        energy_wh,
        others.values_list("starts_on", "ends_on"),
    )
    reading = GenerationReading(
        project=project,
        starts_on=starts_on,
        ends_on=ends_on,
        energy_wh=energy_wh,
        source=source,
        note=note,
    )
    keep([reading])
    return reading


@transaction.atomic
def correct(
    *, reading: GenerationReading, energy_wh: int, source: Source, note: str
) -> GenerationReading:
    """
    Say what a period really generated, and why, as one more reading; the difference is posted.

    The same correction again is the same reading. A correction can be corrected.

    :raises ReadingCorrected: if it was corrected before, to another amount.
    :raises ReadingRefused: if the amount cannot be, or is the one that the reading has, or the
        note does not say why.
    """
    project = lock_project(reading.project_id)
    corrected = GenerationReading.objects.filter(correction_of=reading).first()
    if corrected is not None:
        if corrected.energy_wh == energy_wh:
            return corrected
        raise ReadingCorrected(energy_wh=corrected.energy_wh, reading=corrected.public_id)
    check_correction(meters_of([project])[project.pk], reading, energy_wh)
    if not note.strip():
        reason = "Say why it is corrected. It stands at the correction, and in the audit log."
        raise ReadingRefused(field="note", reason=reason)
    correction = correction_of(reading, energy_wh=energy_wh, source=source, note=note)
    keep([correction])
    return correction


def correction_of(
    reading: GenerationReading, *, energy_wh: int, source: Source, note: str
) -> GenerationReading:
    """Return the reading that stands for another one from now on; not kept yet."""
    return GenerationReading(
        project=reading.project,
        starts_on=reading.starts_on,
        ends_on=reading.ends_on,
        energy_wh=energy_wh,
        source=source,
        note=note,
        correction_of=reading,
    )


@inside_transaction
def keep(readings: Sequence[GenerationReading]) -> None:
    """Write down readings that were checked under the locks of their projects."""
    GenerationReading.objects.bulk_create(readings)
    for reading in readings:
        former = reading.correction_of
        audit.record(
            action="capacity.reading_corrected" if former else "capacity.reading_recorded",
            object_id=reading.public_id,
            before={"energy_wh": former.energy_wh} if former else None,
            after={
                "project": reading.project.code,
                "starts_on": str(reading.starts_on),
                "ends_on": str(reading.ends_on),
                "energy_wh": reading.energy_wh,
                "source": str(reading.source),
            },
            reason=reading.note,
        )
    if readings:
        enqueue("capacity.share_generation")


def check_new(meter: Meter, days: Days, energy_wh: int, taken: Iterable[Days]) -> None:
    """
    Check a reading of days that have none; `taken` are the days of other first readings.

    :raises ReadingRefused: if the amount or the days cannot be, or some of them were read before.
    """
    _check_energy(meter, energy_wh)
    starts_on, ends_on = days
    _check_days(meter, starts_on, ends_on)
    for first, last in taken:
        if first <= ends_on and last >= starts_on:
            reason = f"{first} to {last} was read before. Choose other days."
            raise ReadingRefused(field="starts_on", reason=reason)


def check_correction(meter: Meter, reading: GenerationReading, energy_wh: int) -> None:
    """
    Check what shall hold instead of a reading.

    :raises ReadingRefused: if the amount cannot be, or is the one that the reading has.
    """
    _check_energy(meter, energy_wh)
    if energy_wh == reading.energy_wh:
        raise ReadingRefused(field="energy_wh", reason="The reading says so already.")


def _check_energy(meter: Meter, energy_wh: int) -> None:
    if not 0 <= energy_wh <= meter.most_wh:
        raise ReadingRefused(field="energy_wh", reason=f"Give from 0 to {meter.most_wh:,} Wh.")


def _check_days(meter: Meter, starts_on: date, ends_on: date) -> None:
    project, days = meter.project, (ends_on - starts_on).days + 1
    if not 1 <= days <= LONGEST_PERIOD:
        reason = f"Give a day from 0 to {LONGEST_PERIOD - 1} days after the first one."
        raise ReadingRefused(field="ends_on", reason=reason)
    if ends_on >= meter.today:
        reason = "The period is not over. Record it after its last day (UTC)."
        raise ReadingRefused(field="ends_on", reason=reason)
    if project.starts_on and starts_on < project.starts_on:
        reason = f"The project generates from {project.starts_on} on."
        raise ReadingRefused(field="starts_on", reason=reason)
    if project.ends_on and ends_on > project.ends_on:
        reason = f"The project generates until {project.ends_on}."
        raise ReadingRefused(field="ends_on", reason=reason)

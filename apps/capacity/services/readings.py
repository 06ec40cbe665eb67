"""Write down what a project generated, and correct it; a worker divides it (`sharing`)."""

from datetime import date

from django.db import transaction
from django.db.models import Max

from apps.capacity.errors import ReadingCorrected, ReadingExists, ReadingRefused
from apps.capacity.models import GenerationReading, Project, ProjectRate
from apps.capacity.selectors.projects import day_of
from apps.capacity.services.locking import lock_project
from apps.core.clock import workers_now
from apps.core.queue import enqueue
from apps.tenants.services import audit

LARGEST_ENERGY = 10**15  # Wh in one reading; what all of mankind uses in two weeks
LARGEST_CREDITS = 10**15  # in one lot, by the ledger
LONGEST_PERIOD = 366  # days

Source = GenerationReading.Source


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
    _check_energy(project, energy_wh)
    _check_period(project, starts_on, ends_on)
    other = former.filter(starts_on__lte=ends_on, ends_on__gte=starts_on).first()
    if other is not None:
        reason = f"{other.starts_on} to {other.ends_on} was read before. Choose other days."
        raise ReadingRefused(field="starts_on", reason=reason)
    reading = GenerationReading(
        project=project,
        starts_on=starts_on,
        ends_on=ends_on,
        energy_wh=energy_wh,
        source=source,
        note=note,
    )
    return _kept(reading, "capacity.reading_recorded")


@transaction.atomic
def correct(
    *, reading: GenerationReading, energy_wh: int, source: Source, note: str
) -> GenerationReading:
    """
    Say what a period really generated, as one more reading; the difference is posted.

    The same correction again is the same reading. A correction can be corrected.

    :raises ReadingCorrected: if it was corrected before, to another amount.
    :raises ReadingRefused: if the amount cannot be, or is the one that the reading has.
    """
    project = lock_project(reading.project_id)
    corrected = GenerationReading.objects.filter(correction_of=reading).first()
    if corrected is not None:
        if corrected.energy_wh == energy_wh:
            return corrected
        raise ReadingCorrected(energy_wh=corrected.energy_wh, reading=corrected.public_id)
    _check_energy(project, energy_wh)
    if energy_wh == reading.energy_wh:
        raise ReadingRefused(field="energy_wh", reason="The reading says so already.")
    correction = GenerationReading(
        project=reading.project,
        starts_on=reading.starts_on,
        ends_on=reading.ends_on,
        energy_wh=energy_wh,
        source=source,
        note=note,
        correction_of=reading,
    )
    return _kept(correction, "capacity.reading_corrected")


def _kept(reading: GenerationReading, action: str) -> GenerationReading:
    reading.save(force_insert=True)
    former = reading.correction_of
    audit.record(
        action=action,
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
    enqueue("capacity.share_generation")
    return reading


def _check_energy(project: Project, energy_wh: int) -> None:
    """Check that it can be, and that the ledger takes what it pays in one lot."""
    rates = ProjectRate.objects.filter(project=project)
    highest = rates.aggregate(rate=Max("credits_per_kwh"))["rate"] or 0
    most = LARGEST_ENERGY
    if highest:
        most = min(most, int(LARGEST_CREDITS * 1000 / highest))
    if not 0 <= energy_wh <= most:
        raise ReadingRefused(field="energy_wh", reason=f"Give from 0 to {most:,} Wh.")


def _check_period(project: Project, starts_on: date, ends_on: date) -> None:
    days = (ends_on - starts_on).days + 1
    if not 1 <= days <= LONGEST_PERIOD:
        reason = f"Give a day from 0 to {LONGEST_PERIOD - 1} days after the first one."
        raise ReadingRefused(field="ends_on", reason=reason)
    if ends_on >= day_of(workers_now()):
        reason = "The period is not over. Record it after its last day (UTC)."
        raise ReadingRefused(field="ends_on", reason=reason)
    if project.starts_on and starts_on < project.starts_on:
        reason = f"The project generates from {project.starts_on} on."
        raise ReadingRefused(field="starts_on", reason=reason)
    if project.ends_on and ends_on > project.ends_on:
        reason = f"The project generates until {project.ends_on}."
        raise ReadingRefused(field="ends_on", reason=reason)

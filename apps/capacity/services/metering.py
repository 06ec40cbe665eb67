"""
Take a file of readings over: shown first, and then as it was shown, or not at all.

A preview does all that confirming would do, by the same services, and undoes it. So it shows
every refusal that there would be, and keeps nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.capacity.errors import CorrectionsNotAgreed, ReadingRefused, ReadingsChanged
from apps.capacity.models import GenerationReading, Project
from apps.capacity.services.locking import lock_projects
from apps.capacity.services.meter_files import Facts, Field, MeterRow
from apps.capacity.services.readings import correct, record
from apps.core.db import inside_transaction
from apps.core.sheets import Fault

Period = tuple[UUID, date, date]  # project, first and last day


class Effect(StrEnum):
    """What a row does."""

    NEW = "new"
    CORRECTION = "correction"
    REPEATED = "repeated"  # the reading is there, with this energy
    WRONG = "wrong"


@dataclass(frozen=True)
class Outcome:
    """What a row does, or why it cannot; of a correction, with what the period had before."""

    row: MeterRow
    effect: Effect
    former_wh: int | None = None
    faults: Sequence[Fault] = ()


@dataclass
class Known:
    """What is known of the projects that rows are about, which are locked."""

    projects: Mapping[str, Project]  # by code and by id
    standing: Mapping[Period, GenerationReading]  # the newest of each period
    above: dict[Period, int]  # periods of rows above, and which


@transaction.atomic
def preview_readings(rows: Sequence[MeterRow]) -> list[Outcome]:
    """Return what each row would do, and leave all as it is."""
    outcomes = _carry_out(rows, reason="a preview")
    transaction.set_rollback(True)
    return outcomes


@transaction.atomic
def confirm_readings(confirmed: Sequence[Outcome], *, reason: str = "") -> dict[Effect, int]:
    """
    Record and correct by rows that somebody has seen; return how many did what.

    Corrections need a `reason`, which is the agreement to them. What was carried out before is
    repeated, and does nothing.

    :raises CorrectionsNotAgreed: if a row corrects a reading, and no reason is given.
    :raises ReadingsChanged: if a row would do something else than was seen. Nothing is done.
    """
    outcomes = _carry_out([one.row for one in confirmed], reason=reason)
    for seen, now in zip(confirmed, outcomes, strict=True):
        is_same = (now.effect, now.former_wh) == (seen.effect, seen.former_wh)
        if not is_same and now.effect != Effect.REPEATED:
            raise ReadingsChanged(row=now.row.number)
    counts = dict.fromkeys(Effect, 0)
    for one in outcomes:
        counts[one.effect] += 1
    if counts[Effect.CORRECTION] and not reason:
        raise CorrectionsNotAgreed(corrections=counts[Effect.CORRECTION])
    return counts


@inside_transaction
def _carry_out(rows: Sequence[MeterRow], *, reason: str) -> list[Outcome]:
    known = _look_up([row.facts for row in rows if row.facts])
    return [_carry(row, known, reason) for row in rows]


def _look_up(facts: Sequence[Facts]) -> Known:
    """Lock the projects and read what stands of them, in as many queries however many rows."""
    named = {one.project for one in facts}
    ids = [row_id for name in named if (row_id := Project.read_id(name))]
    found = Project.objects.filter(Q(code__in=named) | Q(pk__in=ids)).values_list("pk", flat=True)
    projects = lock_projects(list(found))
    standing = GenerationReading.objects.filter(
        project__in=projects, corrected_by=None, starts_on__in={one.starts_on for one in facts}
    )
    return Known(
        projects={
            name: project
            for project in projects.values()
            for name in (project.code, project.public_id)
        },
        standing={(one.project_id, one.starts_on, one.ends_on): one for one in standing},
        above={},
    )


def _carry(row: MeterRow, known: Known, reason: str) -> Outcome:
    """Record or correct by one row, unless it is wrong or was carried out before."""
    if row.facts is None:
        return Outcome(row, Effect.WRONG, faults=row.faults)
    try:
        with transaction.atomic():
            effect, former_wh = _write(row.number, row.facts, known, reason)
    except ReadingRefused as refusal:
        said = refusal.details
        fault = row.fault(said["field"], refusal.code, said["reason"])
        return Outcome(row, Effect.WRONG, faults=[fault])
    return Outcome(row, effect, former_wh)


def _write(number: int, facts: Facts, known: Known, reason: str) -> tuple[Effect, int | None]:
    """
    Carry out what a row says; return what that was, and the energy that it corrects.

    :raises ReadingRefused: if it cannot be.
    """
    project = known.projects.get(facts.project)
    if project is None:
        said = "There is no such project. Write its code, as in the list of projects."
        raise ReadingRefused(field=Field.PROJECT, reason=said)
    period = (project.pk, facts.starts_on, facts.ends_on)
    if known.above.setdefault(period, number) != number:
        said = f"Row {known.above[period]} has this period. Leave one of them out."
        raise ReadingRefused(field=Field.STARTS_ON, reason=said)
    source, former = GenerationReading.Source.CSV, known.standing.get(period)
    if former is None:
        record(
            project=project,
            starts_on=facts.starts_on,
            ends_on=facts.ends_on,
            energy_wh=facts.energy_wh,
            source=source,
        )
        return Effect.NEW, None
    if former.energy_wh == facts.energy_wh:
        return Effect.REPEATED, None
    correct(reading=former, energy_wh=facts.energy_wh, source=source, note=reason)
    return Effect.CORRECTION, former.energy_wh

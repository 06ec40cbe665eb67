"""
Take a file of readings over: shown first, and then as it was shown, or not at all.

A preview and its confirmation work out what rows do by the same code, and the rules are those of
`readings`. A preview locks nothing; confirming does, so that nothing changes until it is written.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.capacity.errors import CorrectionsNotAgreed, ReadingRefused, ReadingsChanged
from apps.capacity.models import GenerationReading, Project
from apps.capacity.services.locking import lock_projects
from apps.capacity.services.meter_files import Facts, Field, MeterRow
from apps.capacity.services.readings import (
    Days,
    Meter,
    check_correction,
    check_new,
    correction_of,
    keep,
    meters_of,
)
from apps.core.sheets import Fault

Period = tuple[UUID, date, date]  # project, first and last day
SOURCE = GenerationReading.Source.CSV


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
    reading: GenerationReading | None = None  # what it writes down, once it is confirmed


@dataclass
class Known:
    """What is known of the projects that rows are about, and of the rows above."""

    meters: Mapping[str, Meter]  # by code and by id of the project
    standing: Mapping[Period, GenerationReading]  # the newest of each period
    taken: defaultdict[UUID, list[Days]]  # what was read of each project, by a row above or before
    above: dict[Period, int] = field(default_factory=dict)  # periods of rows above, and which


def preview_readings(rows: Sequence[MeterRow]) -> list[Outcome]:
    """Return what each row would do. It locks nothing, and asks as often for many as for few."""
    projects = Project.objects.filter(_named_by(rows))
    return _work_out(rows, {one.pk: one for one in projects})


@transaction.atomic
def confirm_readings(confirmed: Sequence[Outcome], *, reason: str = "") -> dict[Effect, int]:
    """
    Record and correct by rows that somebody has seen; return how many did what.

    Corrections need a `reason`, which is the agreement to them. What was carried out before is
    repeated, and does nothing.

    :raises CorrectionsNotAgreed: if a row corrects a reading, and no reason is given.
    :raises ReadingsChanged: if a row would do something else than was seen. Nothing is done.
    """
    rows = [one.row for one in confirmed]
    projects = Project.objects.filter(_named_by(rows)).values_list("pk", flat=True)
    outcomes = _work_out(rows, lock_projects(list(projects)), reason=reason)
    for seen, now in zip(confirmed, outcomes, strict=True):
        is_same = (now.effect, now.former_wh) == (seen.effect, seen.former_wh)
        if not is_same and now.effect != Effect.REPEATED:
            raise ReadingsChanged(row=now.row.number)
    counts = dict.fromkeys(Effect, 0)
    for one in outcomes:
        counts[one.effect] += 1
    if counts[Effect.CORRECTION] and not reason.strip():
        raise CorrectionsNotAgreed(corrections=counts[Effect.CORRECTION])
    keep([one.reading for one in outcomes if one.reading])
    return counts


def _named_by(rows: Sequence[MeterRow]) -> Q:
    named = {row.facts.project for row in rows if row.facts}
    ids = [row_id for name in named if (row_id := Project.read_id(name))]
    return Q(code__in=named) | Q(pk__in=ids)


def _work_out(
    rows: Sequence[MeterRow], projects: Mapping[UUID, Project], *, reason: str = ""
) -> list[Outcome]:
    """Return what each row does, those above it being carried out; nothing is written."""
    known = _look_up([row.facts for row in rows if row.facts], projects)
    return [_outcome_of(row, known, reason) for row in rows]


def _look_up(facts: Sequence[Facts], projects: Mapping[UUID, Project]) -> Known:
    """Read what stands of the projects in the days of the rows, in as many queries for any."""
    taken: defaultdict[UUID, list[Days]] = defaultdict(list)
    standing: dict[Period, GenerationReading] = {}
    if facts:
        found = GenerationReading.objects.filter(
            project__in=projects,
            corrected_by=None,
            starts_on__lte=max(one.ends_on for one in facts),
            ends_on__gte=min(one.starts_on for one in facts),
        )
        for one in found:
            one.project = projects[one.project_id]
            standing[one.project_id, one.starts_on, one.ends_on] = one
            taken[one.project_id].append((one.starts_on, one.ends_on))
    meters = meters_of(projects.values()).values()
    return Known(
        meters={
            name: meter
            for meter in meters
            for name in (meter.project.code, meter.project.public_id)
        },
        standing=standing,
        taken=taken,
    )


def _outcome_of(row: MeterRow, known: Known, reason: str) -> Outcome:
    """Return what one row does, unless it is wrong or was carried out before."""
    if row.facts is None:
        return Outcome(row, Effect.WRONG, faults=row.faults)
    try:
        return _effect_of(row, row.facts, known, reason)
    except ReadingRefused as refusal:
        said = refusal.details
        fault = row.fault(said["field"], refusal.code, said["reason"])
        return Outcome(row, Effect.WRONG, faults=[fault])


def _effect_of(row: MeterRow, facts: Facts, known: Known, reason: str) -> Outcome:
    """
    Return what a row does that can be understood.

    :raises ReadingRefused: if it cannot be.
    """
    meter = known.meters.get(facts.project)
    if meter is None:
        said = "There is no such project. Write its code, as in the list of projects."
        raise ReadingRefused(field=Field.PROJECT, reason=said)
    project, days = meter.project, (facts.starts_on, facts.ends_on)
    period = (project.pk, *days)
    if known.above.setdefault(period, row.number) != row.number:
        said = f"Row {known.above[period]} has this period. Leave one of them out."
        raise ReadingRefused(field=Field.STARTS_ON, reason=said)
    former = known.standing.get(period)
    if former is None:
        check_new(meter, days, facts.energy_wh, known.taken[project.pk])
        known.taken[project.pk].append(days)
        return Outcome(row, Effect.NEW, reading=_first(project, facts))
    if former.energy_wh == facts.energy_wh:
        return Outcome(row, Effect.REPEATED)
    check_correction(meter, former, facts.energy_wh)
    right = correction_of(former, energy_wh=facts.energy_wh, source=SOURCE, note=reason)
    return Outcome(row, Effect.CORRECTION, former.energy_wh, reading=right)


def _first(project: Project, facts: Facts) -> GenerationReading:
    return GenerationReading(
        project=project,
        starts_on=facts.starts_on,
        ends_on=facts.ends_on,
        energy_wh=facts.energy_wh,
        source=SOURCE,
    )

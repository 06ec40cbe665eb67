"""
What a preview of readings showed, as its page hands it back: signed, for one person and an hour.

Nothing of a file is kept anywhere else. Of rows that are wrong it has the cells as well, so that
they can be had as a file.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core import signing

from apps.capacity.services.meter_files import Facts, MeterRow
from apps.capacity.services.metering import Effect, Outcome
from apps.core.sheets import Fault, UnreadableUpload

SALT = "coffer.readings"
LONGEST_LOOK = 60 * 60  # seconds in which a preview can be confirmed
LONGEST_VALUE = 100  # characters of a wrong cell that are shown
LARGEST_SEEN = 900_000  # characters: a request has 1 MiB at most (DATA_UPLOAD_MAX_MEMORY_SIZE)


def write_seen(outcomes: Sequence[Outcome], viewer: str) -> str:
    """
    Return what a preview shows this person.

    :raises UnreadableUpload: if it is more than the page could hand back.
    """
    columns = next((one.row.columns for one in outcomes), ())
    told = {"columns": list(columns), "rows": [_told(one) for one in outcomes]}
    seen = signing.dumps(told, salt=f"{SALT}:{viewer}", compress=True)
    if len(seen) > LARGEST_SEEN:
        problem = "The rows that are wrong hold too much text. Divide the file into two."
        raise UnreadableUpload(reason="too_large", problem=problem)
    return seen


def read_seen(seen: str, viewer: str) -> list[Outcome]:
    """
    Return what a preview showed this person.

    :raises BadSignature: if it is another's, or older than LONGEST_LOOK.
    """
    told = signing.loads(seen, salt=f"{SALT}:{viewer}", max_age=LONGEST_LOOK)
    return [
        Outcome(
            MeterRow(number, _read(facts), columns=told["columns"], line=line),
            Effect(effect),
            former_wh,
            [Fault(*fault) for fault in faults],
        )
        for number, effect, former_wh, facts, faults, line in told["rows"]
    ]


def _told(outcome: Outcome) -> list[object]:
    row = outcome.row
    line = list(row.line) if outcome.effect == Effect.WRONG else []
    faults = [
        [one.column, one.value[:LONGEST_VALUE], one.code, one.message] for one in outcome.faults
    ]
    return [row.number, outcome.effect.value, outcome.former_wh, _facts(row), faults, line]


def _facts(row: MeterRow) -> list[object]:
    facts = row.facts
    if facts is None:
        return []
    return [facts.project, str(facts.starts_on), str(facts.ends_on), facts.energy_wh]


def _read(facts: list[Any]) -> Facts | None:
    if not facts:
        return None
    project, first, last, energy_wh = facts
    return Facts(project, date.fromisoformat(first), date.fromisoformat(last), energy_wh)

"""
What can be asked for: the operations of the built-in runners, and those of workers outside.

Each operation is of one kind. A runner that is built in comes first, should a release bring
one with the name of an external operation: then no worker outside may claim it any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.jobs.errors import UnknownOperation
from apps.jobs.models import ExternalOperation
from apps.jobs.runners.protocol import Runner
from apps.jobs.runners.registry import RUNNERS
from apps.jobs.runners.schemas import fitted


@dataclass(frozen=True)
class External:
    """An operation that workers outside do."""

    operation: str
    name: str
    description: str
    most_pixels: int
    schema: Mapping[str, Any] = field(default_factory=dict)

    def check(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return the parameters with defaults filled in.

        :raises ValueError: with (parameter, problem) if one is unknown or wrong.
        """
        return fitted(self.schema, parameters)

    def result_size(
        self, parameters: Mapping[str, Any], width: int, height: int
    ) -> tuple[int, int]:
        """Return as many pixels as a result may have, in one line: their number is what counts."""
        return self.most_pixels, 1


Offer = Runner | External


def offers() -> dict[str, Offer]:
    """Return all that can be asked for, by code: with one query, the built-in ones first."""
    found: dict[str, Offer] = dict(RUNNERS)
    for row in ExternalOperation.objects.filter(is_active=True).order_by("code"):
        found.setdefault(row.code, _external(row))
    return found


def offer_of(code: str) -> Offer:
    """
    Return the operation with this code, built in or external.

    :raises UnknownOperation: if nobody does this now, with the codes of what is done.
    """
    if code in RUNNERS:
        return RUNNERS[code]
    row = ExternalOperation.objects.filter(code=code, is_active=True).first()
    if row is None:
        raise UnknownOperation(operation=code, known=", ".join(offers()))
    return _external(row)


def _external(row: ExternalOperation) -> External:
    return External(row.code, row.name, row.description, row.most_pixels, row.parameters)

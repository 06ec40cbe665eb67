"""What a runner is asked for, and what it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

ReportProgress = Callable[[int], None]  # percent


@dataclass(frozen=True)
class Style:
    """One way in which an operation can be done."""

    code: str
    name: str
    description: str
    swatches: tuple[str, ...]  # #rrggbb


@dataclass(frozen=True)
class Result:
    """A finished picture."""

    content: bytes
    content_type: str
    width: int  # pixels
    height: int  # pixels


class RunFailed(Exception):
    """The work cannot be done, for a reason that the customer can understand."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Runner(Protocol):
    """Does one operation. The same input gives the same bytes."""

    operation: ClassVar[str]
    name: ClassVar[str]
    description: ClassVar[str]
    styles: ClassVar[tuple[Style, ...]]

    def check(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return the parameters with defaults filled in.

        :raises ValueError: with (parameter, problem) if one is unknown or wrong.
        """
        ...

    def result_size(
        self, parameters: Mapping[str, Any], width: int, height: int
    ) -> tuple[int, int]:
        """Return the largest result, in pixels, that a picture of this size can have."""
        ...

    def run(
        self, picture: bytes, parameters: Mapping[str, Any], report_progress: ReportProgress
    ) -> Result:
        """
        Do the work.

        :raises RunFailed: if it cannot be done with this picture.
        """
        ...

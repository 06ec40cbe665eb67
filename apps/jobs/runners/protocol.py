"""What a runner is asked for, and what it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

ReportProgress = Callable[[int], None]  # percent


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

    def check(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return the parameters with defaults filled in.

        :raises ValueError: with (parameter, problem) if one is unknown or wrong.
        """
        ...

    def result_size(
        self, parameters: Mapping[str, Any], width: int, height: int
    ) -> tuple[int, int]:
        """
        Return the largest result, in pixels, that a picture of this size can have.

        :raises ValueError: with (parameter, problem) if that is more than is made.
        """
        ...

    def label(self, parameters: Mapping[str, Any]) -> str:
        """Say in a few words how it is done, for lists of jobs."""
        ...

    def run(
        self, picture: bytes, parameters: Mapping[str, Any], report_progress: ReportProgress
    ) -> Result:
        """
        Do the work.

        :raises RunFailed: if it cannot be done with this picture.
        """
        ...


class StyledRunner(Runner, Protocol):
    """A runner whose work has styles: each version of one is a look, kept in the database."""

    def check_look(self, look: Mapping[str, Any]) -> None:
        """
        Check that a look is complete: what a style's version says, with its `swatches`.

        :raises ValueError: with (parameter, problem) if something is missing, unknown or wrong.
        """
        ...

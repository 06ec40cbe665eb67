"""What every `manage.py import_…` has in common: a dry run unless told otherwise, and a report."""

from abc import abstractmethod
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from apps.core import context
from apps.core.imports.reading import FormerFile, FormerRow, UnreadableFile
from apps.core.imports.reporting import Report


class ImportCommand(BaseCommand):
    """
    Reads FILE.csv and takes its rows over.

    Safe to repeat: what is there already is counted and left as it is. It ends with status 1 if
    something could not be taken over; what could, is in.
    """

    columns: ClassVar[dict[str, tuple[str, ...]]] = {}  # ours: how the former system called it
    needed: ClassVar[tuple[str, ...]] = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, where the report goes, and whether to write."""
        parser.add_argument("file", type=Path, help="CSV with a header, commas, UTF-8")
        parser.add_argument("--apply", action="store_true", help="write; else this is a dry run")
        parser.add_argument(
            "--report", type=Path, help="a CSV of what is to be looked at (else it is printed)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """
        Take the rows over, or say what that would do.

        :raises CommandError: if the file or the report cannot be had, they are one and the same,
            or a row was left out.
        """
        file = FormerFile(options["file"], columns=self.columns, needed=self.needed)
        target: Path | None = options["report"]
        if target and target.resolve() == file.path.resolve():
            raise CommandError("The report would overwrite the file. Give it another name.")
        try:
            opened = target.open("w", encoding="utf-8", newline="") if target else None
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}.") from error
        name = self.__class__.__module__.rpartition(".")[2]
        with opened or nullcontext(self.stdout) as stream, context.acting(actor=f"system:{name}"):
            report = Report(stream)
            try:
                self.take_over(file, report, options)
            except UnreadableFile as error:
                raise CommandError(str(error)) from error
        if not options["apply"]:
            self.stdout.write("Dry run: nothing was written. Add --apply to write.")
        if report.problems:
            raise CommandError(f"Left out: {report.problems}. The report says why.")

    @abstractmethod
    def take_over(self, file: FormerFile, report: Report, options: dict[str, Any]) -> None:
        """Take the rows over, and print sums."""

    def readable(self, file: FormerFile, report: Report) -> Iterator[FormerRow]:
        """Yield the rows that can be read, and report the others."""
        for row in file.rows():
            if row.unfit:
                report.problem(row.line, row.unfit)
            else:
                yield row

"""`manage.py sweep_files`: delete files past their date, and compare the rest with the rows."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand

from apps.jobs.services import expiring


class Command(BaseCommand):
    """Do at once what the beat does by and by; safe beside it."""

    help = "Delete files past their date and files without a row; mark rows without a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whether to change anything."""
        parser.add_argument(
            "--dry-run", action="store_true", help="only tell which files and rows do not fit"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was deleted, and a line for each file and row that does not fit."""
        is_dry_run: bool = options["dry_run"]
        if not is_dry_run:
            uploads = to_the_end(expiring.delete_expired_uploads)
            results = to_the_end(expiring.delete_expired_results)
            self.stdout.write(f"uploads={uploads} results={results}")
        found = expiring.compare_files(is_dry_run=is_dry_run)
        for name in found.orphans:
            self.stdout.write(f"orphan {name}")
        for row in found.lost:
            self.stdout.write(f"lost {row}")
        note = " (nothing was changed)" if is_dry_run else ""
        self.stdout.write(
            f"files={found.files} orphans={len(found.orphans)} lost={len(found.lost)}{note}"
        )


def to_the_end(delete: Callable[[], int]) -> int:
    """Delete batch after batch until nothing is left; return how many that were."""
    total = 0
    while count := delete():
        total += count
    return total

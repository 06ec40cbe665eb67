"""`manage.py import_allocations FILE.csv`: take the allocations of a former system over."""

from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.db import transaction

from apps.capacity.models import Project
from apps.capacity.selectors.amounts import total_kw, written
from apps.capacity.selectors.former import fee_that_differs, imported_kw, read_allocation
from apps.capacity.selectors.projects import NOTHING
from apps.capacity.services.importing import import_allocation
from apps.core.errors import DomainError
from apps.core.imports import FormerFile, FormerRow, Report, Unfit
from apps.core.imports.command import ImportCommand
from apps.core.invariants import all_invariants, verify
from apps.rbac.selectors.former import CUSTOMER_COLUMNS

CHECKED = frozenset({"C01", "C02", "C03"})  # of manage.py verify


@dataclass
class Sums:
    """What became of the rows of a file."""

    kw: dict[UUID, Decimal] = field(default_factory=dict)  # by project
    counts: Counter[str] = field(default_factory=Counter)


class Command(ImportCommand):
    """Match projects, blocks and customers; allocate what is live, and keep what is over."""

    help = "Import allocations of a former system (documents of 2025: one row each) from a CSV."
    columns = {
        "id": ("id", "allocation_id"),
        "account": ("account", "user_id"),
        "project": ("project", "project_code", "project_id"),
        "block": ("block", "block_serial", "serial", "block_id", "capacity_block_id"),
        "capacity_kw": ("capacity_kw", "kw"),
        "monthly_fee": ("monthly_fee",),
        "status": ("status",),
        "starts_on": ("starts_on", "allocated_at", "created_at"),
        "ends_on": ("ends_on", "ended_at", "cancelled_at"),
        **CUSTOMER_COLUMNS,
    }
    needed = ("id", "project", "starts_on")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take, besides, the day from which this system shares what is generated."""
        super().add_arguments(parser)
        parser.add_argument(
            "--since",
            type=date.fromisoformat,
            metavar="DAY",
            help="what is not over by then begins on this day (2026-12-01) at the earliest",
        )

    def take_over(self, file: FormerFile, report: Report, options: dict[str, Any]) -> None:
        """
        Import row by row; a dry run does the same, and takes all of it back.

        A row may need what the one before it has taken, so a dry run keeps the projects of the
        file locked until it ends.
        """
        if options["apply"]:
            self.import_all(file, report, options["since"])
            return
        with transaction.atomic():
            self.import_all(file, report, options["since"])
            transaction.set_rollback(True)

    def import_all(self, file: FormerFile, report: Report, since: date | None) -> None:
        """
        Import every row that can be, and print sums by project.

        :raises CommandError: if what is there then is not what was there before and the file.
        """
        before, sums = imported_kw(), Sums()
        for row in self.readable(file, report):
            self.import_row(row, report, sums, since)
        self.print_sums(sums)
        self.compare(before, sums)

    def import_row(self, row: FormerRow, report: Report, sums: Sums, since: date | None) -> None:
        """Import one row, or report why not."""
        try:
            former = read_allocation(row, since=since)
            differing_fee = fee_that_differs(row, former)
            made = import_allocation(former)
        except Unfit as unfit:
            report.problem(row.line, unfit)
            return
        except DomainError as refusal:
            report.problem(row.line, Unfit("", row.values["id"], str(refusal), ""))
            return
        if not made:
            sums.counts["already"] += 1
            return
        sums.counts["rows"] += 1
        sums.counts["blocks"] += len(made)
        sums.counts["history"] += former.is_over
        kw = sums.kw.get(former.project.pk, NOTHING)
        sums.kw[former.project.pk] = kw + former.capacity_kw
        assert total_kw(made) == former.capacity_kw, "an exact fit has no tolerance here"
        if differing_fee:
            report.note(row.line, differing_fee)

    def print_sums(self, sums: Sums) -> None:
        """Print what was imported, and what was there already."""
        codes = dict(Project.objects.filter(pk__in=sums.kw).values_list("pk", "code"))
        for project_id, kw in sorted(sums.kw.items(), key=lambda one: codes[one[0]]):
            self.stdout.write(f"{codes[project_id]}: {written(kw)} kW")
        names = ("rows", "blocks", "history", "already")
        self.stdout.write(" ".join(f"{name}={sums.counts[name]}" for name in names))

    def compare(self, before: dict[UUID, Decimal], sums: Sums) -> None:
        """
        Compare the sums of the file with those of the database, and run capacity's invariants.

        :raises CommandError: if they differ, or one is broken.
        """
        after = imported_kw()
        for project_id, kw in sums.kw.items():
            if after[project_id] != before.get(project_id, NOTHING) + kw:
                raise CommandError("The sums do not agree: did another import run meanwhile?")
        chosen = [one for one in all_invariants() if one.code in CHECKED]
        if broken := [one.invariant.code for one in verify(chosen) if one.failures]:
            raise CommandError(f"Broken: {', '.join(broken)}. See manage.py verify.")

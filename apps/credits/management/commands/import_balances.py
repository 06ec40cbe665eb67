"""`manage.py import_balances FILE.csv`: take what former users had over as opening lots."""

from collections import Counter
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from apps.core.errors import DomainError
from apps.core.imports import FormerFile, FormerRow, Report, Unfit
from apps.core.imports.command import ImportCommand
from apps.credits.selectors.former import imported_credits, read_balance
from apps.credits.services.former import import_balance
from apps.rbac.selectors.former import CUSTOMER_COLUMNS


class Command(ImportCommand):
    """One lot for each balance, in a transaction of its own."""

    help = "Import balances of a former system (users.credits and the like) from a CSV."
    columns = {
        "id": ("account", "user_id", "organization_id", "id"),
        "credits": ("credits", "balance", "credit_balance"),
        **CUSTOMER_COLUMNS,
    }
    needed = ("id", "credits")

    def take_over(self, file: FormerFile, report: Report, options: dict[str, Any]) -> None:
        """
        Import every balance that can be, and print sums.

        :raises CommandError: if what is there then is not what was there before and the file.
        """
        before = imported_credits()
        sums: Counter[str] = Counter()
        seen: set[str] = set()
        for row in self.readable(file, report):
            try:
                sums += self.import_row(row, seen, is_applied=options["apply"])
            except Unfit as unfit:
                report.problem(row.line, unfit)
            except DomainError as refusal:
                report.problem(row.line, Unfit("", row.values["id"], str(refusal), ""))
        names = ("accounts", "credits", "already", "credits_already")
        self.stdout.write(" ".join(f"{name}={sums[name]}" for name in names))
        if options["apply"] and imported_credits() != before + sums["credits"]:
            raise CommandError("The sums do not agree: did another import run meanwhile?")

    def import_row(self, row: FormerRow, seen: set[str], *, is_applied: bool) -> Counter[str]:
        """
        Import one balance, and return what to add to the sums; a dry run takes it back.

        :raises Unfit: if it cannot be, or its account stood in the file before.
        """
        former = read_balance(row)
        if former.former_id in seen:
            problem = "This account stands in the file twice."
            raise Unfit("id", former.former_id, problem, "Leave the row out that is wrong.")
        seen.add(former.former_id)
        with transaction.atomic():
            is_new = import_balance(former)
            if not is_applied:
                transaction.set_rollback(True)
        if is_new:
            return Counter(accounts=1, credits=former.credits)
        return Counter(already=1, credits_already=former.credits)

"""`manage.py import_ledger FILE.csv`: keep a former ledger as history that can be read."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from apps.core.imports import FormerFile, Report, Unfit
from apps.core.imports.command import ImportCommand
from apps.credits.models import FormerAccount
from apps.credits.selectors.former import FormerEntry, History, accounts_named, read_entry
from apps.credits.services.former import import_histories

LONGEST_REASON = 500  # characters, of a difference


class Command(ImportCommand):
    """
    The history of an account whole or not at all, after its balance was imported.

    The file is read twice: once to add up each account, and once to write those that agree.
    """

    help = "Import a former ledger (credit_ledger and the like) from a CSV, as history."
    columns = {
        "id": ("id", "transaction_id"),
        "account": ("account", "user_id", "organization_id"),
        "amount": ("delta", "amount"),
        "balance_after": ("balance_after",),
        "kind": ("operation_type", "transaction_type", "type"),
        "description": ("description",),
        "payment": ("stripe_payment_intent_id",),
        "occurred_at": ("occurred_at", "created_at"),
    }
    needed = ("id", "account", "amount", "occurred_at")

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take, besides, the reason for which movements need not add up to the balance."""
        super().add_arguments(parser)
        parser.add_argument(
            "--allow-difference",
            default="",
            metavar="REASON",
            help="take accounts whose movements do not add up to the balance, and keep why",
        )

    def take_over(self, file: FormerFile, report: Report, options: dict[str, Any]) -> None:
        """
        Import the history of every account that agrees, in one transaction, and print sums.

        :raises CommandError: if nobody can tell whose a row is, one stands there twice, the
            file changed meanwhile, or the reason for differences is too long to be kept.
        """
        reason: str = options["allow_difference"]
        if len(reason) > LONGEST_REASON:
            raise CommandError(f"The reason has more than {LONGEST_REASON} characters. Shorten it.")
        histories = self.add_up(file, report)
        known = accounts_named(histories)
        accounts = {
            former_id: known[former_id]
            for former_id, history in histories.items()
            if self.is_to_be_written(former_id, history, known.get(former_id), report, reason)
        }
        try:
            with transaction.atomic():
                import_histories(
                    accounts=accounts,
                    histories=histories,
                    entries=entries_of(file, accounts),
                    difference_reason=reason,
                )
                if not options["apply"]:
                    transaction.set_rollback(True)
        except Unfit as unfit:
            raise CommandError(f"{unfit.value}: {unfit.problem} {unfit.fix}") from unfit
        chosen = [histories[former_id] for former_id in accounts]
        self.stdout.write(
            f"accounts={len(chosen)} movements={sum(one.count for one in chosen)}"
            f" credits={sum(one.total for one in chosen)} in_file={len(histories)}"
        )

    def add_up(self, file: FormerFile, report: Report) -> dict[str, History]:
        """
        Return what the rows of each account add up to; report those that cannot be read.

        :raises CommandError: if nobody can tell whose a row is: it would be lost for ever, since
            history is written once.
        """
        histories: dict[str, History] = {}
        lost = 0
        for row in file.rows():
            unfit = row.unfit
            if unfit is None:
                history = histories.setdefault(row.values["account"], History(line=row.line))
                try:
                    history.add(read_entry(row))
                except Unfit as error:
                    history.is_readable, unfit = False, error
            if unfit:
                report.problem(row.line, unfit)
                lost += unfit.column in ("", "account")
        if lost:
            said = f"Of {lost} lines nobody can tell whose they are. The report says which."
            raise CommandError(f"{said} Put them right first: history is written once.")
        return histories

    def is_to_be_written(
        self,
        former_id: str,
        history: History,
        account: FormerAccount | None,
        report: Report,
        reason: str,
    ) -> bool:
        """Tell whether a history can be written and is not there yet; report why it cannot."""
        if not history.is_readable:
            return False  # what is wrong with it is reported
        if account is None:
            problem, fix = "Its balance was not imported.", "Run import_balances first."
        elif account.history_digest is not None:
            if bytes(account.history_digest) == history.written_digest:
                return False
            problem = "Its history was imported before, and was another one."
            fix = "Leave its rows out: history is written once."
        elif (history.total != account.balance) and not reason:
            problem = f"Its rows add up to {history.total}, and its balance is {account.balance}."
            fix = "Export both at one moment, or give the reason with --allow-difference."
        else:
            self.note_differences(history, account, report)
            return True
        report.problem(history.line, Unfit("account", former_id, problem, fix))
        return False

    def note_differences(self, history: History, account: FormerAccount, report: Report) -> None:
        """Report where sum, newest balance and opening balance differ in what is taken over."""
        if history.total != account.balance:
            problem = f"Its rows add up to {history.total}, and its balance is {account.balance}."
            report.note(history.line, Unfit("account", account.former_id, problem, ""))
        if history.last and history.last[1] != account.balance:
            problem = (
                f"Its newest row says {history.last[1]}, and its balance is {account.balance}."
            )
            report.note(history.line, Unfit("balance_after", account.former_id, problem, ""))


def entries_of(file: FormerFile, accounts: dict[str, FormerAccount]) -> Iterator[FormerEntry]:
    """Yield the rows of these accounts, read anew."""
    for row in file.rows():
        if not row.unfit and row.values["account"] in accounts:
            yield read_entry(row)

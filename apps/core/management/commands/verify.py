"""`manage.py verify`: run every invariant, or walk every chain, and print what was examined."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import chains
from apps.core.errors import NotFound
from apps.core.invariants import Finding, verify


class Command(BaseCommand):
    """Verify every invariant of the database, or its chains; exit non-zero when one is broken."""

    help = "Run every invariant as SQL, print what was examined, fail if one is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what is to be walked."""
        parser.add_argument(
            "--chain",
            action="store_true",
            help="instead of the SQL, recompute every hash of the ledger here, row by row",
        )
        parser.add_argument("--wallet", default="", help="with --chain: only this one (wal_…)")
        parser.add_argument("--organization", default="", help="with --chain: only hers (slug)")

    def handle(self, *args: Any, **options: Any) -> None:
        """
        Print a line for each invariant, or for each broken chain.

        :raises CommandError: if one is broken, or what is named does not exist.
        """
        wallet, organization = options["wallet"], options["organization"]
        if options["chain"]:
            self.walk(wallet, organization)
            return
        if wallet or organization:
            raise CommandError("--wallet and --organization need --chain.")
        broken = [finding for finding in map(self.show, verify()) if finding.failures]
        if broken:
            raise CommandError(f"{len(broken)} invariants are broken; see the lines above.")

    def show(self, finding: Finding) -> Finding:
        """Print one finding and hand it on."""
        self.stdout.write(
            f"{finding.invariant.code} examined={finding.examined} failures={finding.failures} "
            f"seconds={finding.seconds:.3f}  {finding.invariant.sentence}"
        )
        if finding.failures:
            self.stdout.write(self.style.ERROR(f"    for example: {finding.example}"))
        return finding

    def walk(self, wallet: str, organization: str) -> None:
        """
        Print the first bad row of each broken chain, and how much was walked.

        :raises CommandError: if a chain is broken, or what is named does not exist.
        """
        started = time.monotonic()
        examined = rows = failures = 0
        try:
            for chain in chains.walk(wallet=wallet, organization=organization):
                examined, rows = examined + 1, rows + chain.rows
                if chain.fault:
                    failures += 1
                    self.stdout.write(
                        self.style.ERROR(
                            f"{chain.name} sequence={chain.fault.sequence} "
                            f"transaction={chain.fault.row or '-'} {chain.fault.problem}"
                        )
                    )
        except NotFound as error:
            raise CommandError("There is no such wallet or organization.") from error
        self.stdout.write(
            f"chains examined={examined} rows={rows} failures={failures} "
            f"seconds={time.monotonic() - started:.3f}"
        )
        if failures:
            raise CommandError(f"{failures} chains are broken; see the lines above.")

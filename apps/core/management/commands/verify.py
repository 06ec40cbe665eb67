"""`manage.py verify`: run every invariant, or walk every chain, and print what was examined."""

import time
from argparse import ArgumentParser
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core import chains
from apps.core.chains import Fault, WalkedChain
from apps.core.errors import NotFound
from apps.core.invariants import Finding, verify

KINDS = {"ledger": "", "audit": "audit "}  # kind of chain: what its line begins with


class Command(BaseCommand):
    """Verify every invariant of the database, or its chains; exit non-zero when one is broken."""

    help = "Run every invariant as SQL, print what was examined, fail if one is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what is to be walked."""
        parser.add_argument(
            "--chain",
            action="store_true",
            help="instead of the SQL, recompute every hash of ledger and audit log, row by row",
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
        counts = {kind: Count() for kind in KINDS if not (wallet and kind == "audit")}
        try:
            for chain in chains.walk(wallet=wallet, organization=organization):
                counts[chain.kind].add(chain)
                if chain.fault:
                    self.stdout.write(self.style.ERROR(describe(chain, chain.fault)))
        except NotFound as error:
            raise CommandError("There is no such wallet or organization.") from error
        seconds = time.monotonic() - started
        for kind, count in counts.items():
            self.stdout.write(
                f"{KINDS[kind]}chains examined={count.chains} rows={count.rows} "
                f"failures={count.failures} seconds={seconds:.3f}"
            )
        if failures := sum(count.failures for count in counts.values()):
            raise CommandError(f"{failures} chains are broken; see the lines above.")


@dataclass
class Count:
    """What was walked of one kind of chain."""

    chains: int = 0
    rows: int = 0
    failures: int = 0

    def add(self, chain: WalkedChain) -> None:
        """Count one chain that was walked."""
        self.chains += 1
        self.rows += chain.rows
        self.failures += chain.fault is not None


def describe(chain: WalkedChain, fault: Fault) -> str:
    """Return the line that names the first bad row of a chain."""
    row = "transaction" if chain.kind == "ledger" else "row"
    return f"{chain.name} sequence={fault.sequence} {row}={fault.row or '-'} {fault.problem}"

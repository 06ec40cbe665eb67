"""`manage.py verify`: run every invariant and print how many rows each examined."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.invariants import Finding, verify


class Command(BaseCommand):
    """Verify every invariant of the database; exit non-zero when one is broken."""

    help = "Run every invariant as SQL, print what was examined, fail if one is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each invariant, then refuse if any row breaks one."""
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

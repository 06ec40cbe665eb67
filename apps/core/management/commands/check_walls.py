"""`manage.py check_walls`: is every table of an organization behind row-level security."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.walls.inspection import inspect


class Command(BaseCommand):
    """Look in the database's catalogue; exit non-zero when a wall has a hole."""

    help = "Look in the catalogue whether every wall between organizations stands."

    def handle(self, *args: Any, **options: Any) -> None:
        """
        Print each breach, and how much was looked at.

        :raises CommandError: if there is a breach, or nothing to look at.
        """
        found = inspect()
        for breach in found.breaches:
            self.stdout.write(self.style.ERROR(str(breach)))
        self.stdout.write(
            f"walls tables={found.tables} views={found.views} functions={found.functions} "
            f"breaches={len(found.breaches)}"
        )
        if found.breaches or not found.tables:
            raise CommandError(
                "The walls do not stand: run `manage.py migrate` as the owner of the tables, and"
                " see docs/guides/tenancy.md for the roles."
            )

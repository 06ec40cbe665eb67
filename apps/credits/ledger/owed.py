"""What a wallet may be told to owe, whatever its credit line, and not to owe any more."""

from dataclasses import dataclass
from uuid import UUID

from apps.credits.ledger.commands import Command, Named


@dataclass(frozen=True, kw_only=True)
class Owe(Command):
    """Let credits of one lot be owed that were used, and whose money went back."""

    lot_id: UUID
    amount: int

    @property
    def origin(self) -> str:
        """The cause of the debt's lot."""
        return f"owed:{self.lot_id}:{self.reference}"


@dataclass(frozen=True, kw_only=True)
class Forgive(Command):
    """Give back what `of` let be owed, last owed first: the money stayed after all."""

    of: tuple[str, ...]  # references of what let it be owed
    amount: int

    def named(self) -> tuple[Named, ...]:
        """Ask for what was owed as well."""
        return (*super().named(), *((self.wallet_id, reference) for reference in self.of))

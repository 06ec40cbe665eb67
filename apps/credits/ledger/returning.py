"""What was handed on and not used goes back to where it came from."""

from dataclasses import dataclass
from uuid import UUID

from apps.credits.ledger.commands import Command, Named


@dataclass(frozen=True, kw_only=True)
class Recall(Command):
    """
    Take what remains of lots that return, or `amount` of it, back to the lots they came from.

    What would have burned last goes first. Held credits stay held, and nothing of them is taken.
    """

    target_id: UUID  # the wallet of the lots that these came from
    lots: tuple[UUID, ...]
    amount: int | None = None

    def wallet_ids(self) -> tuple[UUID, ...]:
        """Lock both."""
        return (self.wallet_id, self.target_id)

    def named(self) -> tuple[Named, ...]:
        """Ask for what the other wallet got as well."""
        return (*super().named(), (self.target_id, self.reference))

    def lot_ids(self) -> tuple[UUID, ...]:
        """Ask for these lots and those that they return to, although nothing may remain of them."""
        return self.lots

"""What a job would cost and whether it could be paid: asked of the ledger's own rules."""

from dataclasses import dataclass

from apps.credits import selectors as credits_selectors
from apps.credits.services.quotes import Item, check_charge
from apps.jobs.errors import UnknownOperation
from apps.jobs.runners.registry import RUNNERS
from apps.tenants.models import Organization


@dataclass(frozen=True)
class Quote:
    """What a job would cost, in credits, and what would be left."""

    cost: int
    available: int  # credits that this operation could draw on
    reason: str | None  # the code of the refusal that submitting would meet now

    @property
    def available_after(self) -> int:
        """Credits left, or less than nothing."""
        return self.available - self.cost

    @property
    def is_affordable(self) -> bool:
        """Whether it could be paid now."""
        return self.reason is None

    @property
    def shortfall(self) -> int:
        """Credits that are missing; none where something else is in the way."""
        return max(0, -self.available_after)


def quote_job(*, organization: Organization, operation: str) -> Quote:
    """
    Say what the operation costs now, and whether budgets and balance allow it. Writes nothing.

    :raises UnknownOperation: if no runner does this.
    :raises UnknownCreditEvent: if it has no price.
    """
    if operation not in RUNNERS:
        raise UnknownOperation(operation=operation, known=", ".join(RUNNERS))
    line = check_charge(
        wallet=credits_selectors.main_wallet(organization), item=Item(event=operation)
    )
    return Quote(cost=line.cost, available=line.available, reason=line.reason)

"""What a job would cost and whether it could be paid: asked of the ledger's own rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.credits import selectors as credits_selectors
from apps.credits.errors import InsufficientCredits
from apps.credits.models import CreditEvent, Wallet
from apps.credits.selectors.coverage import is_covered_by_plan
from apps.credits.services.quotes import Item, quote_charges
from apps.jobs.selectors.offers import Offer, offer_of
from apps.jobs.services.metering import is_metered, most_units
from apps.jobs.services.submission import AreaRequest, check_areas
from apps.tenants.models import Organization, User


@dataclass(frozen=True)
class Quote:
    """What a job would cost, in credits, and what would be left."""

    cost: int  # of all areas
    available: int  # credits that this operation could draw on
    reason: str | None  # the code of the refusal that submitting would meet now
    area_count: int = 1
    is_metered: bool = False  # the cost is the most: what is not used comes back
    is_covered: bool = False  # by the plan, so that it costs no credits

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


def quote_job(
    *,
    organization: Organization,
    operation: str,
    areas: Sequence[AreaRequest] = (),
    user: User | None = None,
) -> Quote:
    """
    Say what the job costs now, and whether budgets and balance allow it. Writes nothing.

    The balance is the person's, if he has credits of his own, else the organization's. Without
    areas: what one unit costs.

    :raises UnknownOperation: if nobody does this.
    :raises UnknownCreditEvent: if it has no price.
    :raises InvalidAreas: if these are too many.
    :raises InvalidParameters: if the operation cannot work with those of an area.
    :raises NoWalletOfOwn: if he spends only what a partner gives him, and has nothing yet.
    """
    offer = offer_of(operation)
    price = credits_selectors.price_of(operation)
    wallet = _wallet_of(organization, user)
    is_covered = is_covered_by_plan(wallet, price)
    units = _units(offer, price, areas)
    items = [Item(event=operation, quantity=quantity) for quantity in units]
    quote = quote_charges(wallet=wallet, items=items)
    available, reason = quote.lines[0].available, quote.reason
    if reason is None and is_metered(price) and quote.total > available:
        reason = InsufficientCredits.code  # what is held is never owed, whatever the credit line
    return Quote(
        cost=0 if is_covered else quote.total,
        available=available,
        reason=None if is_covered else reason,
        area_count=len(units),
        is_metered=is_metered(price),
        is_covered=is_covered,
    )


def _wallet_of(organization: Organization, user: User | None) -> Wallet:
    if user is None:
        return credits_selectors.main_wallet(organization)
    return credits_selectors.spending_wallet(organization, user)


def _units(offer: Offer, price: CreditEvent, areas: Sequence[AreaRequest]) -> list[int]:
    """Return what each area can need at the most."""
    if not areas:
        return [1]
    checked = check_areas(price.name, areas)
    pairs = zip(areas, checked, strict=True)
    return [most_units(offer, price, parameters, area.upload) for area, parameters in pairs]

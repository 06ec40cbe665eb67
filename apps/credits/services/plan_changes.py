"""Change the allowance of a cycle that runs, because its plan has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.core import ids
from apps.core.errors import DomainError
from apps.credits.errors import InvalidTerms
from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import ChangeExpiry, Command, Expire, Grant, Void
from apps.credits.ledger.posting import post, post_one
from apps.credits.models import Lot, Wallet


@dataclass(frozen=True)
class Share:
    """How much of a cycle is left, in seconds: `left` of `whole`."""

    left: int
    whole: int

    def floor(self, credits: int) -> int:
        """Return this part of some credits, rounded down: what is taken."""
        return credits * self.left // self.whole

    def ceil(self, credits: int) -> int:
        """Return this part of some credits, rounded up: what is given."""
        return -(-credits * self.left // self.whole)


@dataclass(frozen=True)
class Swap:
    """What a changed plan does to the credits of a running cycle."""

    taken: int
    given: int


def preview_swap(*, lots: Sequence[Lot], share: Share, former: int, allowance: int) -> Swap:
    """Return what `swap_allowance` would do if it were called now."""
    taken = sum(share.floor(lot.remaining) for lot in lots)
    used = max(0, share.ceil(former) - taken)  # before its time: the old plan gave it already
    return Swap(taken, max(0, share.ceil(allowance) - used))


@transaction.atomic
def swap_allowance(
    *,
    wallet: Wallet,
    lots: Sequence[Lot],
    share: Share,
    former: int,
    allowance: int,
    expires_at: datetime,
    reference: str,
    source: str,
    source_id: str,
    unit_cost: Decimal = Decimal(0),
    currency: str = "",
) -> Swap:
    """
    Take what is left of the old allowance out, and put the new one's share in.

    Of each of the old cycle's lots its unused part times the share of the time that is left
    is taken, rounded down. Of the new `allowance` that share is given, rounded up, less what
    was used of the same share of the `former` one: so what is used stays used, and a chain of
    upgrades gives no more than its last plan. Both are credits of a whole cycle. Whoever calls
    does so once for each reference.

    :raises InvalidTerms: if no time is left of the cycle.
    :raises WalletClosed: if the wallet is closed.
    """
    if not 0 < share.left <= share.whole:
        raise InvalidTerms(field="share", must="be a part of the cycle that is left")
    expire_wallet(wallet)  # takes the wallet's lock, which is held until the end
    fresh = list(Lot.objects.filter(pk__in=[lot.pk for lot in lots]).order_by("id"))
    about: dict[str, Any] = {"wallet_id": wallet.id, "source": source, "source_id": source_id}
    commands = _takes(fresh, share, reference, about)
    swap = preview_swap(lots=fresh, share=share, former=former, allowance=allowance)
    if swap.given:
        commands.append(
            Grant(
                **about,
                reference=reference,
                kind=Lot.Kind.SUBSCRIPTION.value,
                amount=swap.given,
                expires_at=expires_at,
                unit_cost=unit_cost,
                currency=currency,
                description="Credits of the new plan for the rest of the period",
            )
        )
    _post_all(commands)
    return swap


def _takes(
    lots: Sequence[Lot], share: Share, reference: str, about: dict[str, Any]
) -> list[Command]:
    """Return what takes the share of each lot's unused part."""
    return [
        Void(
            **about,
            reference=f"{reference}:{lot.public_id}",
            lot_id=lot.id,
            amount=share.floor(lot.remaining),
            description="Unused part of the former plan's credits",
        )
        for lot in lots
        if share.floor(lot.remaining)
    ]


@transaction.atomic
def redate_lot(
    *,
    lot: Lot,
    expires_at: datetime,
    reference: str,
    source: str,
    source_id: str = "",
    description: str = "",
) -> Outcome:
    """
    Let what remains of a lot expire at another moment, once per reference; it is a new lot then.

    :raises LotHasLess: if nothing remains of it.
    :raises LotFrozen: if it is frozen.
    :raises LotExpiresTooEarly: if the moment has passed.
    """
    return post_one(
        ChangeExpiry(
            wallet_id=lot.wallet_id,
            lot_id=lot.id,
            expires_at=expires_at,
            reference=reference,
            source=source,
            source_id=source_id,
            description=description,
        )
    )


@transaction.atomic
def expire_wallet(wallet: Wallet) -> None:
    """Write off what is past its date in one wallet."""
    _post_all([Expire(wallet_id=wallet.id, reference=f"sweep:{ids.new_id()}", source="expiry")])


def _post_all(commands: Sequence[Command]) -> None:
    """Post all of them, or none: the first refusal rolls the transaction back."""
    for outcome in post(commands) if commands else []:
        if isinstance(outcome, DomainError):
            raise outcome

"""Set credits aside while the cost of something is not known yet."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction

from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Capture, PlaceHold, Release, RenewHold
from apps.credits.ledger.posting import POST, Mode, post_one
from apps.credits.models import CreditEvent, Hold, Wallet
from apps.credits.services.prices import at_its_price

TTL = timedelta(minutes=15)


@transaction.atomic
def hold_amount(
    *,
    wallet: Wallet,
    amount: int,
    reference: str,
    source: str,
    ttl: timedelta = TTL,
    policy: Hold.Policy = Hold.Policy.REJECT,
    price: CreditEvent | None = None,
    source_id: str = "",
    description: str = "",
    metadata: Mapping[str, Any] | None = None,
    mode: Mode = POST,
) -> Outcome:
    """
    Set `amount` credits aside for `ttl`, once per reference; `policy` is for what exceeds it.

    :raises InsufficientCredits: if the open lots do not cover it.
    :raises BudgetExceeded: if a budget of this month would be exceeded.
    :raises InvalidAmount: if the amount is no whole number above zero.
    :raises InvalidTerms: if it would live for more than a day.
    :raises ReferenceReused: if the reference stands for something else.
    :raises WalletFrozen: if nothing may leave the wallet.
    :raises WalletClosed: if the wallet is closed.
    """
    return post_one(
        PlaceHold(
            wallet_id=wallet.id,
            reference=reference,
            source=source,
            source_id=source_id,
            description=description,
            metadata=metadata or {},
            amount=amount,
            ttl=ttl,
            policy=policy.value,
            credit_event_id=price.id if price else None,
            features=price.features if price else frozenset(),
        ),
        mode,
    )


@transaction.atomic
def hold_for_event(
    *, wallet: Wallet, event: str, reference: str, quantity: int = 1, **terms: Any
) -> Outcome:
    """
    Set aside what `quantity` units of an event cost now; that price stays the hold's.

    The terms, and what is raised, are those of `hold_amount`.

    :raises UnknownCreditEvent: if the price list has no such active event.
    """

    def post(price: CreditEvent) -> Outcome:
        described = {"description": price.description, **terms}
        return hold_amount(
            wallet=wallet,
            amount=price.credit_cost * quantity,
            reference=reference,
            price=price,
            **described,
        )

    return at_its_price(wallet, event=event, reference=reference, post=post)


@transaction.atomic
def capture_hold(
    *, hold: Hold, amount: int, source: str, description: str = "", mode: Mode = POST
) -> Outcome:
    """
    Keep `amount` of what is held and give back the rest; a hold is captured once.

    The same capture again is answered with what it did.

    :raises HoldSettled: if it has ended otherwise, or another amount was captured.
    :raises CaptureExceedsHold: if it is more than was held, and the policy refuses that.
    :raises InsufficientCredits: if the policy charges the excess, and it is not covered.
    :raises BudgetExceeded: if a budget of this month would be exceeded.
    """
    return post_one(
        Capture(
            wallet_id=hold.wallet_id,
            reference=hold.reference,
            source=source,
            source_id=hold.public_id,
            description=description,
            amount=amount,
        ),
        mode,
    )


@transaction.atomic
def release_hold(*, hold: Hold, source: str, description: str = "", mode: Mode = POST) -> Outcome:
    """
    Give back all that is held; twice is no more than once.

    :raises HoldSettled: if it was captured.
    """
    return post_one(
        Release(
            wallet_id=hold.wallet_id,
            reference=hold.reference,
            source=source,
            source_id=hold.public_id,
            description=description,
        ),
        mode,
    )


@transaction.atomic
def renew_hold(*, hold: Hold, ttl: timedelta, source: str) -> Outcome:
    """
    Let an open hold live for `ttl` from now, if that is longer; its terms stay.

    :raises HoldSettled: if it is held no more.
    :raises InvalidTerms: if it would live for more than a day.
    """
    return post_one(
        RenewHold(wallet_id=hold.wallet_id, reference=hold.reference, source=source, ttl=ttl)
    )

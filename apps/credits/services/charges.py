"""Take credits for something that is done, and give them back when it failed."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Charge, Refund
from apps.credits.ledger.posting import POST, Mode, post_one
from apps.credits.models import CreditEvent, Wallet
from apps.credits.services.prices import at_its_price


@transaction.atomic
def charge_event(
    *,
    wallet: Wallet,
    event: str,
    reference: str,
    source: str,
    quantity: int = 1,
    source_id: str = "",
    description: str = "",
    metadata: Mapping[str, Any] | None = None,
    mode: Mode = POST,
) -> Outcome:
    """
    Charge what the price list asks for `quantity` units of an event, once per reference.

    A repeat answers what was charged, even if the price has changed since.

    :raises UnknownCreditEvent: if the price list has no such active event.
    :raises InsufficientCredits: if open lots and credit line do not cover it.
    :raises BudgetExceeded: if a budget of this month would be exceeded.
    :raises InvalidAmount: if it would cost nothing, or less.
    :raises ReferenceReused: if the reference stands for another charge.
    :raises WalletFrozen: if nothing may leave the wallet.
    :raises WalletClosed: if the wallet is closed.
    """

    def post(price: CreditEvent) -> Outcome:
        return post_one(
            Charge(
                wallet_id=wallet.id,
                reference=reference,
                source=source,
                source_id=source_id,
                description=description or price.description,
                metadata=metadata or {},
                amount=price.credit_cost * quantity,
                credit_event_id=price.id,
                features=price.features,
            ),
            mode,
        )

    return at_its_price(wallet, event=event, reference=reference, post=post)


@transaction.atomic
def charge_amount(
    *,
    wallet: Wallet,
    amount: int,
    reference: str,
    source: str,
    source_id: str = "",
    description: str = "",
    metadata: Mapping[str, Any] | None = None,
    mode: Mode = POST,
) -> Outcome:
    """
    Charge `amount` credits that no event stands for, once per reference.

    Lots that are for certain events alone are not drawn on.

    :raises InsufficientCredits: if open lots and credit line do not cover it.
    :raises BudgetExceeded: if a budget of this month would be exceeded.
    :raises InvalidAmount: if the amount is no whole number above zero.
    :raises ReferenceReused: if the reference stands for another charge.
    :raises WalletFrozen: if nothing may leave the wallet.
    :raises WalletClosed: if the wallet is closed.
    """
    return post_one(
        Charge(
            wallet_id=wallet.id,
            reference=reference,
            source=source,
            source_id=source_id,
            description=description,
            metadata=metadata or {},
            amount=amount,
        ),
        mode,
    )


@transaction.atomic
def refund_charge(
    *,
    wallet: Wallet,
    charge_reference: str,
    reference: str,
    source: str,
    amount: int | None = None,
    is_our_fault: bool = False,
    source_id: str = "",
    description: str = "",
    mode: Mode = POST,
) -> Outcome:
    """
    Give a charge or a captured hold back to the lots it came from, once per reference.

    With `amount`, only so many credits of it. What is owed is lowered first. If a lot
    expired meanwhile and the fault is ours, the customer gets a lot of the same kind that
    lives for seven more days.

    :raises ChargeNotFound: if the wallet has no such charge.
    :raises AlreadyRefunded: if less than `amount` is left of it.
    :raises ReferenceReused: if the reference stands for another refund.
    :raises WalletClosed: if the wallet is closed.
    """
    return post_one(
        Refund(
            wallet_id=wallet.id,
            reference=reference,
            source=source,
            source_id=source_id,
            description=description,
            of=charge_reference,
            amount=amount,
            is_our_fault=is_our_fault,
        ),
        mode,
    )

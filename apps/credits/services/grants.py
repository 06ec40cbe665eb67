"""Put credits into a wallet."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Grant
from apps.credits.ledger.posting import POST, Mode, post_one
from apps.credits.models import Lot, Wallet


@transaction.atomic
def grant_credits(
    *,
    wallet: Wallet,
    amount: int,
    kind: Lot.Kind,
    reference: str,
    source: str,
    source_id: str = "",
    effective_at: datetime | None = None,
    expires_at: datetime | None = None,
    lives: timedelta | None = None,
    priority: int | None = None,
    unit_cost: Decimal = Decimal(0),
    currency: str = "",
    features: tuple[str, ...] | None = None,
    stripe_payment_intent_id: str = "",
    description: str = "",
    metadata: Mapping[str, Any] | None = None,
    mode: Mode = POST,
) -> Outcome:
    """
    Put a lot of `amount` credits into the wallet, once per reference.

    `expires_at` is exclusive, `lives` says the same as a length of time from
    `effective_at` on; `unit_cost` is in minor units of `currency` per credit; the lowest
    `priority` burns first. What came in repays what the wallet owes first.

    :raises InvalidAmount: if the amount is no whole number above zero.
    :raises InvalidTerms: if kind, priority, cost or currency cannot be.
    :raises LotExpiresTooEarly: if the lot would be dead at birth.
    :raises ReferenceReused: if the reference stands for another grant.
    :raises WalletClosed: if the wallet is closed.
    """
    return post_one(
        Grant(
            wallet_id=wallet.id,
            reference=reference,
            source=source,
            source_id=source_id,
            description=description,
            kind=kind.value,
            amount=amount,
            effective_at=effective_at,
            expires_at=expires_at,
            lives=lives,
            priority=priority,
            unit_cost=unit_cost,
            currency=currency,
            features=features,
            stripe_payment_intent_id=stripe_payment_intent_id,
            metadata=metadata or {},
        ),
        mode,
    )


@transaction.atomic
def grant_trial(*, wallet: Wallet) -> Outcome | None:
    """
    Grant the trial that a new organization gets: once, whatever happens.

    Amount and days are the settings TRIAL_CREDITS and TRIAL_DAYS; 0 credits is no trial.
    """
    if not settings.TRIAL_CREDITS:
        return None
    organization_id = wallet.organization.public_id
    return grant_credits(
        wallet=wallet,
        amount=settings.TRIAL_CREDITS,
        kind=Lot.Kind.TRIAL,
        reference=f"trial:{organization_id}",
        source="trial",
        source_id=organization_id,
        lives=timedelta(days=settings.TRIAL_DAYS),
        description=f"Trial of {settings.TRIAL_DAYS} days",
    )

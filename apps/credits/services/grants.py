"""Put credits into a wallet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.core.errors import DomainError
from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import Grant
from apps.credits.ledger.posting import POST, Mode, post, post_one
from apps.credits.models import Lot, Wallet


class Terms(TypedDict, total=False):
    """What a grant may say besides; what is left out is the kind's, or has no limit."""

    source_id: str
    description: str
    effective_at: datetime  # now, if left out
    expires_at: datetime | None  # exclusive
    lives: timedelta  # the same as a length of time from effective_at on
    priority: int  # the lowest burns first
    unit_cost: Decimal  # minor units of the currency for one credit
    currency: str  # ISO 4217, lower case
    features: tuple[str, ...] | None  # names or categories of the events that may draw on it
    stripe_payment_intent_id: str


@transaction.atomic
def grant_credits(
    *,
    wallet: Wallet,
    amount: int,
    kind: Lot.Kind,
    reference: str,
    source: str,
    mode: Mode = POST,
    metadata: Mapping[str, Any] | None = None,
    **terms: Unpack[Terms],
) -> Outcome:
    """
    Put a lot of `amount` credits into the wallet, once per reference.

    What comes in repays what the wallet owes first.

    :raises InvalidAmount: if the amount is no whole number above zero.
    :raises InvalidTerms: if priority, cost or currency cannot be.
    :raises LotExpiresTooEarly: if the lot would be dead at birth.
    :raises ReferenceReused: if the reference stands for another grant.
    :raises WalletClosed: if the wallet is closed.
    """
    return post_one(
        Grant(
            wallet_id=wallet.id,
            reference=reference,
            source=source,
            kind=kind.value,
            amount=amount,
            metadata=metadata or {},
            **terms,
        ),
        mode,
    )


@dataclass(frozen=True, kw_only=True)
class GrantRequest:
    """A lot for one wallet, among many that are granted together; once per reference."""

    wallet_id: UUID
    amount: int
    kind: Lot.Kind
    reference: str
    source_id: str = ""
    description: str = ""
    expires_at: datetime | None = None  # exclusive; never, if None


@transaction.atomic
def grant_many(*, requests: Sequence[GrantRequest], source: str) -> list[Outcome | DomainError]:
    """
    Put a lot into each wallet: outcomes or refusals, in the order asked.

    A refusal stops only itself; its reasons are those of `grant_credits`. The number of queries
    does not grow with the number of lots.

    :raises NotFound: if a wallet does not exist; then nothing is written.
    """
    commands = [
        Grant(
            wallet_id=one.wallet_id,
            reference=one.reference,
            source=source,
            source_id=one.source_id,
            description=one.description,
            kind=one.kind.value,
            amount=one.amount,
            expires_at=one.expires_at,
        )
        for one in requests
    ]
    return post(commands) if commands else []


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

"""What credits does when it hears news from below."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from apps.core import mail, personal
from apps.credits.errors import WalletHasHolds, WalletInDebt
from apps.credits.models import Budget, CreditTransaction, Wallet
from apps.credits.selectors.organizations import held_for_longer, leftover_of
from apps.credits.services import (
    budget_alerts,
    budgets,
    expiry_warnings,
    grants,
    organizations,
    wallets,
)
from apps.tenants.models import Organization, User
from apps.tenants.signals import (
    organization_changed,
    organization_closed,
    organization_closing,
    organization_created,
    organization_reopened,
)


@receiver(organization_created)
def open_wallet_with_trial(
    organization: Organization, with_trial: bool = True, **kwargs: Any
) -> None:
    """Give a new organization its wallet and trial, in the transaction that creates it."""
    wallet = wallets.open_main_wallet(organization=organization)
    if with_trial:
        grants.grant_trial(wallet=wallet)


@receiver(organization_changed)
def move_months(organization: Organization, changed: frozenset[str], **kwargs: Any) -> None:
    """Let the months of its budgets begin where those of the organization do."""
    if "time_zone" in changed:
        budgets.follow_time_zone(organization=organization)


@receiver(organization_closing)
def held_or_owed(organization: Organization, **kwargs: Any) -> WalletHasHolds | WalletInDebt | None:
    """Return what stands against closing, if credits are held or owed as it would find them."""
    left = leftover_of(organization)
    if held := left.held and held_for_longer(organization):
        return WalletHasHolds(held=held)
    return WalletInDebt(debt=left.debt) if left.debt else None


@receiver(organization_closed)
def close_wallets(organization: Organization, **kwargs: Any) -> None:
    """Close every wallet, or refuse where credits are held or owed."""
    organizations.close_wallets(organization=organization)


@receiver(organization_reopened)
def reopen_wallets(organization: Organization, closed_at: datetime, **kwargs: Any) -> None:
    """Open the wallets that were closed with their organization."""
    organizations.reopen_wallets(organization=organization, closed_at=closed_at)


def transactions_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return what he caused in the ledger; the rows themselves belong to the organizations."""
    rows = CreditTransaction.objects.filter(actor=f"user:{user.public_id}")
    found: Iterable[Mapping[str, Any]] = rows.order_by("created_at", "id").values(
        *("id", "organization__slug", "transaction_type", "amount", "source"),
        *("description", "created_at"),
    )
    return found


def budgets_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return the limits on his use alone."""
    found: Iterable[Mapping[str, Any]] = Budget.objects.filter(member=user).values(
        *("id", "organization__slug", "monthly_limit", "action", "is_active", "created_at")
    )
    return found


def wallets_of(user: User) -> Iterable[Mapping[str, Any]]:
    """Return the wallets that are his own, with what is in them."""
    found: Iterable[Mapping[str, Any]] = Wallet.objects.filter(holder=user).values(
        *("id", "organization__slug", "balance", "held", "created_at")
    )
    return found


personal.register("budgets", budgets_of)
personal.register("credit_transactions", transactions_of)
personal.register("wallets", wallets_of)
mail.register(budget_alerts.QUEUE)
mail.register(expiry_warnings.QUEUE)

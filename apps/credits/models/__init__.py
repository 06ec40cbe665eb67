"""The one ledger: wallets, the lots in them, every movement of a lot, and the price list."""

from apps.credits.models.budgets import Budget, BudgetAlert, BudgetMonth
from apps.credits.models.closing import (
    ClosedPeriod,
    ClosedTotals,
    ClosedWallet,
    LiabilityReport,
)
from apps.credits.models.corrections import Correction
from apps.credits.models.former import FormerAccount, FormerMovement
from apps.credits.models.holds import Hold
from apps.credits.models.lots import Lot
from apps.credits.models.prices import CreditEvent
from apps.credits.models.transactions import CreditTransaction
from apps.credits.models.wallets import NO_HASH, Wallet
from apps.credits.models.warnings import ExpiryWarning

__all__ = [
    "NO_HASH",
    "Budget",
    "BudgetAlert",
    "BudgetMonth",
    "ClosedPeriod",
    "ClosedTotals",
    "ClosedWallet",
    "Correction",
    "CreditEvent",
    "CreditTransaction",
    "ExpiryWarning",
    "FormerAccount",
    "FormerMovement",
    "Hold",
    "LiabilityReport",
    "Lot",
    "Wallet",
]

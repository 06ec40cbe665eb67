"""Staff pages of the ledger: everything can be seen; corrections are forms that call services."""

from apps.credits.admin import (
    budgets,
    closing,
    corrections,
    former,
    holds,
    liability,
    lots,
    prices,
    transactions,
    wallets,
    warnings,
)

__all__ = [
    "budgets",
    "closing",
    "corrections",
    "former",
    "holds",
    "liability",
    "lots",
    "prices",
    "transactions",
    "wallets",
    "warnings",
]

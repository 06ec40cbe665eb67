"""Staff pages of the ledger: everything can be seen; corrections are forms that call services."""

from apps.credits.admin import (
    closing,
    corrections,
    holds,
    liability,
    lots,
    prices,
    transactions,
    wallets,
    warnings,
)

__all__ = [
    "closing",
    "corrections",
    "holds",
    "liability",
    "lots",
    "prices",
    "transactions",
    "wallets",
    "warnings",
]

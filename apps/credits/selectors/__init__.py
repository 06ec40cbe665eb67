"""Read wallets, lots, transactions, usage and prices, one file for each. Nothing here writes."""

from apps.credits.selectors.balances import Balance, balance_of, main_wallet
from apps.credits.selectors.corrections import correction_limit, corrections
from apps.credits.selectors.holds import cost_at_hold, holds_of
from apps.credits.selectors.lots import credits_in_live_lots, lots_in_burn_order, open_lots
from apps.credits.selectors.prices import price_charged, price_list, price_of
from apps.credits.selectors.transactions import (
    Operation,
    heads_of_operations,
    operation_of,
    operations,
    recent_operations,
    transaction_ids,
    transactions_of,
)
from apps.credits.selectors.usage import DayOfUsage, most_used_event, usage_by_day

__all__ = [
    "Balance",
    "DayOfUsage",
    "Operation",
    "balance_of",
    "correction_limit",
    "corrections",
    "cost_at_hold",
    "credits_in_live_lots",
    "heads_of_operations",
    "holds_of",
    "lots_in_burn_order",
    "main_wallet",
    "most_used_event",
    "open_lots",
    "operation_of",
    "operations",
    "price_charged",
    "price_list",
    "price_of",
    "recent_operations",
    "transaction_ids",
    "transactions_of",
    "usage_by_day",
]

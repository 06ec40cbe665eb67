"""Read wallets, lots, transactions, usage and prices, one file for each. Nothing here writes."""

from apps.credits.selectors.balances import (
    Balance,
    balance_at,
    balance_from,
    balance_of,
    held_after,
    last_sequence,
    lots_at,
    main_wallet,
)
from apps.credits.selectors.corrections import correction_limit, corrections
from apps.credits.selectors.explaining import (
    Explanation,
    Part,
    explain_balance,
    explain_transaction,
    explain_usage,
)
from apps.credits.selectors.exports import TRANSACTION_COLUMNS, transaction_rows
from apps.credits.selectors.filters import TransactionFilters, matching, matching_operations
from apps.credits.selectors.forecast import Basis, Forecast, Unused, forecast_of
from apps.credits.selectors.holds import cost_at_hold, holds_of
from apps.credits.selectors.lots import (
    Reason,
    Standing,
    Status,
    credits_in_live_lots,
    ended_lots,
    lots_in_burn_order,
    lots_with_credits,
    open_lots,
)
from apps.credits.selectors.people import names_of_actors, possible_actors
from apps.credits.selectors.periods import Period, last_days
from apps.credits.selectors.prices import (
    price_charged,
    price_list,
    price_of,
    price_versions,
    prices_of,
)
from apps.credits.selectors.transactions import (
    Operation,
    heads_of_operations,
    operation_of,
    operations,
    recent_operations,
    transaction_ids,
    transactions_of,
)
from apps.credits.selectors.usage import (
    DayOfUsage,
    Group,
    Usage,
    Use,
    most_used_event,
    usage_by_day,
    usage_of,
)

__all__ = [
    "TRANSACTION_COLUMNS",
    "Balance",
    "Basis",
    "DayOfUsage",
    "Explanation",
    "Forecast",
    "Group",
    "Operation",
    "Part",
    "Period",
    "Reason",
    "Standing",
    "Status",
    "TransactionFilters",
    "Unused",
    "Usage",
    "Use",
    "balance_at",
    "balance_from",
    "balance_of",
    "correction_limit",
    "corrections",
    "cost_at_hold",
    "credits_in_live_lots",
    "ended_lots",
    "explain_balance",
    "explain_transaction",
    "explain_usage",
    "forecast_of",
    "heads_of_operations",
    "held_after",
    "holds_of",
    "last_days",
    "last_sequence",
    "lots_at",
    "lots_in_burn_order",
    "lots_with_credits",
    "main_wallet",
    "matching",
    "matching_operations",
    "most_used_event",
    "names_of_actors",
    "open_lots",
    "operation_of",
    "operations",
    "possible_actors",
    "price_charged",
    "price_list",
    "price_of",
    "price_versions",
    "prices_of",
    "recent_operations",
    "transaction_ids",
    "transaction_rows",
    "transactions_of",
    "usage_by_day",
    "usage_of",
]

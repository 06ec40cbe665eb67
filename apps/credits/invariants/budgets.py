"""What must always be true of budgets."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "L30",
        "A budget's months are what its wallet used in them, net of what came back.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(budget::text) FILTER (WHERE broken)
          FROM (SELECT budget.id AS budget,
                       counter.used <> coalesce((
                           SELECT -sum(entry.amount)
                             FROM credits_credittransaction entry
                             LEFT JOIN credits_credittransaction taken
                               ON taken.id = entry.reverses_id
                            WHERE entry.wallet_id = budget.wallet_id
                              AND entry.transaction_type
                                  IN ('consumed', 'held', 'released', 'refunded')
                              AND date_trunc('month',
                                      coalesce(taken.created_at, entry.created_at)
                                      AT TIME ZONE budget.time_zone)::date = counter.month), 0)
                       AS broken
                  FROM credits_budget budget
                  JOIN credits_budgetmonth counter ON counter.budget_id = budget.id
                 WHERE budget.is_active) each_month
        """,
    ),
)

"""What must always be true of budgets."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "L30",
        "A budget's months are what was used in them, net of what came back.",
        """
        WITH counted AS (
             SELECT budget.id AS budget_id, -sum(entry.amount) AS used,
                    date_trunc('month', coalesce(taken.created_at, entry.created_at)
                                        AT TIME ZONE budget.time_zone)::date AS month
               FROM credits_budget budget
               JOIN (SELECT budget_id, min(month) AS month FROM credits_budgetmonth GROUP BY 1)
                    AS first ON first.budget_id = budget.id
               JOIN credits_credittransaction entry ON entry.wallet_id = budget.wallet_id
                AND entry.created_at >= first.month::timestamp AT TIME ZONE budget.time_zone
               LEFT JOIN credits_credittransaction taken ON taken.id = entry.reverses_id
              WHERE budget.is_active
                AND entry.transaction_type IN ('consumed', 'held', 'released', 'refunded')
                AND (budget.member_id IS NULL OR budget.member_id
                     = credits_member_of(coalesce(taken.actor, entry.actor)))
              GROUP BY budget.id, 3)
        SELECT count(*), count(*) FILTER (WHERE broken), min(budget::text) FILTER (WHERE broken)
          FROM (SELECT budget.id AS budget, counter.used <> coalesce(counted.used, 0) AS broken
                  FROM credits_budget budget
                  JOIN credits_budgetmonth counter ON counter.budget_id = budget.id
                  LEFT JOIN counted USING (budget_id, month)
                 WHERE budget.is_active) each_month
        """,
    ),
    Invariant(
        "L31",
        "An active budget and its months are of its wallet's organization, and have its time zone.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(budget::text) FILTER (WHERE broken)
          FROM (SELECT budget.id AS budget,
                       (budget.organization_id, budget.time_zone)
                       IS DISTINCT FROM (wallet.organization_id, organization.time_zone)
                       OR EXISTS (SELECT FROM credits_budgetmonth counter
                                   WHERE counter.budget_id = budget.id
                                     AND counter.organization_id <> budget.organization_id)
                       AS broken
                  FROM credits_budget budget
                  JOIN credits_wallet wallet ON wallet.id = budget.wallet_id
                  JOIN tenants_organization organization
                    ON organization.id = wallet.organization_id
                 WHERE budget.is_active) each_budget
        """,
    ),
    Invariant(
        "L32",
        "A wallet says that it has a budget if it has an active one, and only then.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(wallet::text) FILTER (WHERE broken)
          FROM (SELECT wallet.id AS wallet,
                       wallet.has_budget <> EXISTS (
                           SELECT FROM credits_budget budget
                            WHERE budget.wallet_id = wallet.id AND budget.is_active) AS broken
                  FROM credits_wallet wallet) each_wallet
        """,
    ),
    Invariant(
        "L33",
        "An alert was due: what it says was used is at least the share that it is about.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(alert::text) FILTER (WHERE broken)
          FROM (SELECT alert.id AS alert,
                       alert.used::numeric * 100 < alert.monthly_limit::numeric * alert.percent
                       OR alert.organization_id <> budget.organization_id AS broken
                  FROM credits_budgetalert alert
                  JOIN credits_budget budget ON budget.id = alert.budget_id
                 WHERE NOT alert.is_test) each_alert
        """,
    ),
)

"""What must always be true of reports and of closed months (docs/guides/accounting.md)."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "L20",
        "What each transaction leaves in its lot is what the one before left, and its amount.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id, lot_balance_after <> amount
                           + coalesce(lag(lot_balance_after) OVER lot, 0) AS broken
                  FROM credits_credittransaction
                WINDOW lot AS (PARTITION BY lot_id ORDER BY sequence)) each_entry
        """,
    ),
    Invariant(
        "L21",
        "What is outstanding, lot by lot as transactions say, is each wallet's balance.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(wallet::text) FILTER (WHERE broken)
          FROM (SELECT wallet.id AS wallet,
                       wallet.balance <> coalesce(sum(outstanding.remaining), 0) AS broken
                  FROM credits_wallet wallet
                  LEFT JOIN credits_outstanding('infinity') outstanding
                    ON outstanding.wallet_id = wallet.id
                 GROUP BY wallet.id) each_wallet
        """,
    ),
    Invariant(
        "L22",
        "A closed month holds for each wallet what its transactions add up to, by type.",
        """
        WITH by_type AS (
            SELECT period.id AS period_id, entry.wallet_id, entry.transaction_type,
                   sum(entry.amount)::bigint AS amount,
                   coalesce(sum(entry.amount) FILTER (WHERE entry.amount > 0), 0) AS credits_in,
                   coalesce(-sum(entry.amount) FILTER (WHERE entry.amount < 0), 0) AS credits_out
              FROM credits_closedtotals summed
              JOIN credits_closedperiod period ON period.id = summed.period_id
              JOIN credits_credittransaction entry
                ON entry.created_at >= period.starts_at AND entry.created_at < period.ends_at
             GROUP BY period.id, entry.wallet_id, entry.transaction_type),
        moved AS (
            SELECT period_id, wallet_id, jsonb_object_agg(transaction_type, amount) AS totals,
                   sum(credits_in) AS credits_in, sum(credits_out) AS credits_out
              FROM by_type GROUP BY period_id, wallet_id)
        SELECT count(*), count(*) FILTER (WHERE broken), min(wallet) FILTER (WHERE broken)
          FROM (SELECT coalesce(line.wallet_id, moved.wallet_id)::text AS wallet,
                       (line.credits_in, line.credits_out, line.totals) IS DISTINCT FROM
                       (coalesce(moved.credits_in, 0), coalesce(moved.credits_out, 0),
                        coalesce(moved.totals, '{}')) AS broken
                  FROM moved
                  FULL JOIN credits_closedwallet line
                    ON line.period_id = moved.period_id AND line.wallet_id = moved.wallet_id)
               each_line
        """,
    ),
    Invariant(
        "L23",
        "Each closed month opens where the one before it closed, for every wallet.",
        """
        WITH line AS (
            SELECT closed.*, period.starts_at, period.ends_at FROM credits_closedwallet closed
              JOIN credits_closedperiod period ON period.id = closed.period_id)
        SELECT count(*), count(*) FILTER (WHERE broken), min(wallet) FILTER (WHERE broken)
          FROM (SELECT coalesce(this.wallet_id, previous.wallet_id)::text AS wallet,
                       this.opening IS DISTINCT FROM coalesce(previous.closing, 0) AS broken
                  FROM line this
                  FULL JOIN line previous
                    ON previous.wallet_id = this.wallet_id
                   AND previous.ends_at = this.starts_at
                 WHERE this.id IS NOT NULL
                    OR previous.ends_at < (SELECT max(ends_at) FROM line)) each_line
        """,
    ),
    Invariant(
        "L24",
        "A closed month's last transaction of each wallet is still there, with its hash.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(wallet) FILTER (WHERE broken)
          FROM (SELECT line.wallet_id::text AS wallet,
                       (last.entry_hash, last.balance_after)
                       IS DISTINCT FROM (line.head_hash, line.closing)
                       OR last.created_at >= period.ends_at
                       OR after.created_at < period.ends_at AS broken
                  FROM credits_closedwallet line
                  JOIN credits_closedperiod period ON period.id = line.period_id
                  LEFT JOIN credits_credittransaction last
                    ON last.wallet_id = line.wallet_id AND last.sequence = line.sequence
                  LEFT JOIN credits_credittransaction after
                    ON after.wallet_id = line.wallet_id AND after.sequence = line.sequence + 1)
               each_line
        """,
    ),
    Invariant(
        "L25",
        "A closed month's totals are the sums of its wallets.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(period::text) FILTER (WHERE broken)
          FROM (SELECT totals.period_id AS period,
                       (totals.wallets, totals.opening, totals.credits_in, totals.credits_out,
                        totals.closing)
                       IS DISTINCT FROM
                       (count(line.id), coalesce(sum(line.opening), 0),
                        coalesce(sum(line.credits_in), 0), coalesce(sum(line.credits_out), 0),
                        coalesce(sum(line.closing), 0)) AS broken
                  FROM credits_closedtotals totals
                  LEFT JOIN credits_closedwallet line ON line.period_id = totals.period_id
                 GROUP BY totals.period_id) each_period
        """,
    ),
)

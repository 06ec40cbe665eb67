"""What must always be true of balances and history that came from a former system."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "L40",
        "A former balance came into its wallet once, whole, and into no other.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(former_id) FILTER (WHERE broken)
          FROM (SELECT account.former_id,
                       coalesce(opening.amount, 0) <> account.balance
                       OR wallet.organization_id <> account.organization_id AS broken
                  FROM credits_formeraccount account
                  JOIN credits_wallet wallet ON wallet.id = account.wallet_id
                  LEFT JOIN LATERAL (
                       SELECT sum(entry.amount) AS amount FROM credits_credittransaction entry
                        WHERE entry.wallet_id = account.wallet_id
                          AND entry.reference = 'opening:' || account.former_id
                          AND entry.transaction_type = 'adjusted') opening ON true) each_account
        """,
    ),
    Invariant(
        "L41",
        "Former movements are of their account's organization, and add up to its balance, or why"
        " they do not is written down.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(former_id) FILTER (WHERE broken)
          FROM (SELECT account.former_id,
                       coalesce(history.total, 0) + account.difference
                       <> CASE WHEN account.history_digest IS NULL THEN 0
                               ELSE account.balance END
                       OR history.elsewhere > 0
                       OR account.history_digest IS NULL AND history.count > 0 AS broken
                  FROM credits_formeraccount account
                  LEFT JOIN LATERAL (
                       SELECT sum(moved.amount) AS total, count(*) AS count,
                              count(*) FILTER (
                                  WHERE moved.organization_id <> account.organization_id)
                              AS elsewhere
                         FROM credits_formermovement moved
                        WHERE moved.account_id = account.id) history ON true) each_account
        """,
    ),
)

"""What must always be true of the ledger (docs/guides/ledger.md says why)."""

from apps.core.invariants import Invariant, register
from apps.credits.invariants import budgets, former, proof, returning

__all__ = ["budgets", "former", "proof", "returning"]

register(
    Invariant(
        "L01",
        "A wallet's balance and number are those of its transactions.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(wallet::text) FILTER (WHERE broken)
          FROM (SELECT wallet.id AS wallet,
                       (wallet.balance, wallet.sequence)
                       IS DISTINCT FROM (coalesce(sum(entry.amount), 0)::bigint, count(entry.id))
                       AS broken
                  FROM credits_wallet wallet
                  LEFT JOIN credits_credittransaction entry ON entry.wallet_id = wallet.id
                 GROUP BY wallet.id) each_wallet
        """,
    ),
    Invariant(
        "L02",
        "Each transaction continues its wallet's chain: number, balance, time and hash.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id,
                       sequence <> coalesce(lag(sequence) OVER chain, 0) + 1
                       OR balance_after <> coalesce(lag(balance_after) OVER chain, 0) + amount
                       OR created_at < lag(created_at) OVER chain
                       OR entry_hash <> credits_entry_hash(
                              coalesce(lag(entry_hash) OVER chain, decode(repeat('00', 32), 'hex')),
                              wallet_id, sequence, lot_id, transaction_type, amount,
                              balance_after, reverses_id, created_at, reference) AS broken
                  FROM credits_credittransaction
                WINDOW chain AS (PARTITION BY wallet_id ORDER BY sequence)) each_entry
        """,
    ),
    Invariant(
        "L03",
        "A wallet's head is its last transaction.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT wallet.id,
                       (wallet.head_hash, wallet.head_at)
                       IS DISTINCT FROM (last.entry_hash, last.created_at) AS broken
                  FROM credits_wallet wallet
                  JOIN credits_credittransaction last
                    ON last.wallet_id = wallet.id AND last.sequence = wallet.sequence) each_wallet
        """,
    ),
    Invariant(
        "L04",
        "What remains of a lot is the sum of its movements, and the first one granted it.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(lot::text) FILTER (WHERE broken)
          FROM (SELECT lot.id AS lot,
                       lot.remaining IS DISTINCT FROM sum(entry.amount)::bigint
                       OR lot.granted IS DISTINCT FROM
                          (array_agg(entry.amount ORDER BY entry.sequence))[1] AS broken
                  FROM credits_lot lot
                  LEFT JOIN credits_credittransaction entry ON entry.lot_id = lot.id
                 GROUP BY lot.id) each_lot
        """,
    ),
    Invariant(
        "L05",
        "A wallet's balance is what remains of its lots.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(wallet::text) FILTER (WHERE broken)
          FROM (SELECT wallet.id AS wallet,
                       wallet.balance <> coalesce(sum(lot.remaining), 0) AS broken
                  FROM credits_wallet wallet
                  LEFT JOIN credits_lot lot ON lot.wallet_id = wallet.id
                 GROUP BY wallet.id) each_wallet
        """,
    ),
    Invariant(
        "L06",
        "Nothing is spent before or after the life of its lot.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT entry.id, entry.created_at < lot.effective_at
                                 OR entry.created_at >= lot.expires_at AS broken
                  FROM credits_credittransaction entry
                  JOIN credits_lot lot ON lot.id = entry.lot_id
                 WHERE entry.amount < 0 AND entry.transaction_type
                       IN ('consumed', 'held', 'transferred_out', 'repaid')
                   AND NOT (entry.transaction_type = 'transferred_out'
                            AND lot.returns_to_id IS NOT NULL))
               each_spending
        """,
    ),
    Invariant(
        "L07",
        "No more of a charge is given back than it took.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT charge.id, sum(back.amount) > -charge.amount AS broken
                  FROM credits_credittransaction back
                  JOIN credits_credittransaction charge ON charge.id = back.reverses_id
                 GROUP BY charge.id) each_charge
        """,
    ),
    Invariant(
        "L08",
        "Every organization has one main wallet.",
        """
        SELECT count(*), count(*) FILTER (WHERE wallet.id IS NULL),
               min(organization.id::text) FILTER (WHERE wallet.id IS NULL)
          FROM tenants_organization organization
          LEFT JOIN credits_wallet wallet
            ON wallet.organization_id = organization.id AND wallet.kind = 'organization'
        """,
    ),
    Invariant(
        "L09",
        "A wallet holds what its open holds add up to.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(wallet::text) FILTER (WHERE broken)
          FROM (SELECT wallet.id AS wallet,
                       wallet.held <> coalesce(sum(hold.amount), 0) AS broken
                  FROM credits_wallet wallet
                  LEFT JOIN credits_hold hold
                    ON hold.wallet_id = wallet.id AND hold.status = 'held'
                 GROUP BY wallet.id) each_wallet
        """,
    ),
    Invariant(
        "L10",
        "The movements of a hold are what it says, and none is without a hold.",
        """
        SELECT count(*), count(problem), min(problem)
          FROM (SELECT credits_problem_of_hold(wallet_id, reference) AS problem
                  FROM (SELECT wallet_id, reference FROM credits_hold
                         UNION
                        SELECT wallet_id, reference FROM credits_credittransaction
                         WHERE transaction_type IN ('held', 'released')) named) each_hold
        """,
    ),
    Invariant(
        "L11",
        "A wallet that owes credits had none that it could have repaid with.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(wallet::text) FILTER (WHERE broken)
          FROM (SELECT debt.wallet_id AS wallet,
                       EXISTS (SELECT FROM credits_lot lot
                                WHERE lot.wallet_id = debt.wallet_id AND lot.has_credits
                                  AND lot.remaining > 0 AND lot.features IS NULL
                                  AND lot.frozen_at IS NULL
                                  AND lot.effective_at <= wallet.head_at
                                  AND (lot.expires_at IS NULL OR lot.expires_at > wallet.head_at))
                       AS broken
                  FROM credits_lot debt
                  JOIN credits_wallet wallet ON wallet.id = debt.wallet_id
                 WHERE debt.kind = 'debt' AND debt.has_credits) each_debt
        """,
    ),
    Invariant(
        "L12",
        "What leaves one wallet by transfer, redating or repayment arrives whole.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(reference) FILTER (WHERE broken)
          FROM (SELECT reference, sum(amount) <> 0 AS broken
                  FROM credits_credittransaction
                 WHERE transaction_type
                       IN ('transferred_in', 'transferred_out', 'redated', 'repaid')
                 GROUP BY reference, transaction_type IN ('redated', 'repaid'),
                          CASE WHEN transaction_type IN ('redated', 'repaid')
                               THEN wallet_id END) each_cause
        """,
    ),
    Invariant(
        "L15",
        "What a wallet owes beside its credit line is what is left of those debts.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(wallet::text) FILTER (WHERE broken)
          FROM (SELECT wallet.id AS wallet,
                       wallet.owed_back <> coalesce(-sum(debt.remaining), 0) AS broken
                  FROM credits_wallet wallet
                  LEFT JOIN credits_lot debt
                    ON debt.wallet_id = wallet.id AND debt.has_credits
                   AND debt.kind = 'debt' AND debt.origin LIKE 'owed:%'
                 GROUP BY wallet.id) each_wallet
        """,
    ),
    Invariant(
        "L13",
        "A warning of expiry is about its organization's lot, and went out within its days.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT warning.id,
                       warning.organization_id <> lot.organization_id
                       OR lot.expires_at IS NULL
                       OR warning.amount > lot.granted
                       OR warning.sent_at < lot.expires_at - make_interval(hours => 24 * days)
                       AS broken
                  FROM credits_expirywarning warning
                  JOIN credits_lot lot ON lot.id = warning.lot_id) each_warning
        """,
    ),
    Invariant(
        "L14",
        "An heir is of its lot's wallet, and began with what left the lot or came back to it.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT heir.id,
                       heir.wallet_id <> lot.wallet_id OR lot.heir_of_id IS NOT NULL
                       OR coalesce(before.heir_of_id, before.id) IS DISTINCT FROM lot.id AS broken
                  FROM credits_lot heir
                  JOIN credits_lot lot ON lot.id = heir.heir_of_id
                  JOIN LATERAL (
                       SELECT * FROM credits_credittransaction WHERE lot_id = heir.id
                        ORDER BY sequence LIMIT 1) first ON true
                  LEFT JOIN LATERAL (
                       SELECT lot_id FROM credits_credittransaction
                        WHERE id = first.reverses_id
                        UNION ALL
                       SELECT lot_id FROM credits_credittransaction
                        WHERE wallet_id = first.wallet_id AND reference = first.reference
                          AND transaction_type = 'redated' AND amount = -first.amount) origin
                    ON true
                  LEFT JOIN credits_lot before ON before.id = origin.lot_id) each_heir
        """,
    ),
)

"""What must always be true of what was paid."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "B20",
        "A payment that succeeded granted its credits once, in its organization's main wallet, "
        "unless that was closed by then.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT payment.id,
                       (count(entry.id) <> 1 OR sum(entry.amount) <> payment.credits)
                       AND NOT (count(entry.id) = 0
                                AND coalesce(min(wallet.closed_at) <= payment.settled_at, false)
                               ) AS broken
                  FROM billing_payment payment
                  LEFT JOIN credits_wallet wallet
                    ON wallet.organization_id = payment.organization_id
                       AND wallet.kind = 'organization'
                  LEFT JOIN credits_credittransaction entry
                    ON entry.wallet_id = wallet.id
                       AND entry.transaction_type = 'purchased'
                       AND entry.reference
                           = 'payment_intent:' || payment.stripe_payment_intent_id
                 WHERE payment.status = 'succeeded' AND payment.credits > 0
                       AND payment.purpose IN ('pack', 'custom', 'reload', 'pass')
                 GROUP BY payment.id) each_payment
        """,
    ),
    Invariant(
        "B21",
        "Credits that a payment granted were paid: no entry names a payment that did not succeed.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT entry.id,
                       NOT EXISTS (
                           SELECT FROM billing_payment payment
                            WHERE 'payment_intent:' || payment.stripe_payment_intent_id
                                  = entry.reference
                              AND payment.organization_id = entry.organization_id
                              AND payment.status = 'succeeded'
                              AND payment.credits = entry.amount) AS broken
                  FROM credits_credittransaction entry
                 WHERE entry.transaction_type = 'purchased'
                       AND entry.reference LIKE 'payment_intent:%') each_entry
        """,
    ),
    Invariant(
        "B22",
        "A payment at Stripe's page says where that is, and one that is over leads nowhere.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id,
                       CASE WHEN status = 'open'
                            THEN pay_url = '' OR stripe_session_id IS NULL
                            ELSE status IN ('succeeded', 'cancelled', 'created')
                                 AND pay_url <> '' END AS broken
                  FROM billing_payment
                 WHERE purpose IN ('pack', 'custom', 'pass', 'capacity')) each_payment
        """,
    ),
    Invariant(
        "B23",
        "A payment has the terms of what was bought: amount, currency, credits and validity.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT payment.id,
                       (payment.amount, payment.currency, payment.credits, payment.valid_days)
                       IS DISTINCT FROM
                       (version.price, version.currency,
                        version.credits + version.bonus_credits, version.valid_days) AS broken
                  FROM billing_payment payment
                  JOIN billing_productversion version
                    ON version.id = payment.product_version_id
                 WHERE payment.purpose = 'pack') each_payment
        """,
    ),
)

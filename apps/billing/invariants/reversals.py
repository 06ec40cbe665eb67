"""What must always be true of refunds and disputes, of money and of credits."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "B30",
        "Of a payment's credits no more was taken back than its refunds and lost disputes bought.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT payment.id,
                       payment.clawed_back > payment.to_claw_back
                       OR payment.to_claw_back <> CASE
                          WHEN payment.amount + payment.tax = 0 THEN 0
                          ELSE div(payment.credits::numeric
                                   * least(payment.refunded + lost.money,
                                           payment.amount + payment.tax),
                                   payment.amount + payment.tax) END AS broken
                  FROM billing_payment payment
                 CROSS JOIN LATERAL (
                       SELECT coalesce(sum(amount), 0) AS money FROM billing_dispute
                        WHERE payment_id = payment.id AND status = 'lost') lost) each_payment
        """,
    ),
    Invariant(
        "B31",
        "What a payment says was taken back is what the ledger took from its lot and its heirs.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT payment.id,
                       payment.clawed_back - payment.clawed_back_as_debt
                       <> coalesce(-sum(entry.amount), 0) AS broken
                  FROM billing_payment payment
                  LEFT JOIN credits_lot bought
                    ON bought.organization_id = payment.organization_id
                   AND bought.origin = 'payment_intent:' || payment.stripe_payment_intent_id
                  LEFT JOIN credits_lot lot ON coalesce(lot.heir_of_id, lot.id) = bought.id
                  LEFT JOIN credits_credittransaction entry
                    ON entry.lot_id = lot.id AND entry.transaction_type = 'clawed_back'
                 GROUP BY payment.id) each_payment
        """,
    ),
    Invariant(
        "B37",
        "What a payment says was taken back as debt was owed for its lot, and not given back.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT payment.id,
                       payment.clawed_back_as_debt <> coalesce(sum(owed.amount), 0) AS broken
                  FROM billing_payment payment
                  LEFT JOIN credits_lot lot
                    ON lot.organization_id = payment.organization_id
                   AND lot.origin = 'payment_intent:' || payment.stripe_payment_intent_id
                  LEFT JOIN LATERAL (
                       SELECT -entry.amount - coalesce((
                              SELECT sum(back.amount) FROM credits_credittransaction back
                               WHERE back.reverses_id = entry.id), 0) AS amount
                         FROM credits_lot debt
                         JOIN credits_credittransaction entry ON entry.lot_id = debt.id
                        WHERE debt.wallet_id = lot.wallet_id AND debt.kind = 'debt'
                          AND starts_with(debt.origin, 'owed:' || lot.id || ':')
                          AND entry.transaction_type = 'clawed_back' AND entry.amount < 0)
                       owed ON true
                 GROUP BY payment.id) each_payment
        """,
    ),
    Invariant(
        "B32",
        "What was taken back has a refund or a lost dispute, for each credit one.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT payment.id,
                       payment.clawed_back <>
                       (SELECT coalesce(sum(credits), 0) FROM billing_refund
                         WHERE payment_id = payment.id)
                     + (SELECT coalesce(sum(credits), 0) FROM billing_dispute
                         WHERE payment_id = payment.id) AS broken
                  FROM billing_payment payment) each_payment
        """,
    ),
    Invariant(
        "B33",
        "A payment is refunded as far as its refunds moved money, and never beyond its amount.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT payment.id,
                       payment.refunded <>
                       least(payment.amount + payment.tax,
                             (SELECT coalesce(sum(amount), 0) FROM billing_refund
                               WHERE payment_id = payment.id
                                 AND status IN ('pending', 'succeeded'))) AS broken
                  FROM billing_payment payment) each_payment
        """,
    ),
    Invariant(
        "B34",
        "A lot and its heirs are frozen while a dispute of its payment is open, which says so.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT payment.id,
                       payment.disputed_at IS DISTINCT FROM disputed.since
                       OR lot.id IS NOT NULL
                          AND (lot.frozen_at IS NULL) <> (disputed.since IS NULL) AS broken
                  FROM billing_payment payment
                 CROSS JOIN LATERAL (
                       SELECT min(opened_at) AS since FROM billing_dispute
                        WHERE payment_id = payment.id
                          AND status IN ('needs_response', 'under_review')) disputed
                  LEFT JOIN credits_lot bought
                    ON bought.organization_id = payment.organization_id
                   AND bought.origin = 'payment_intent:' || payment.stripe_payment_intent_id
                  LEFT JOIN credits_lot lot ON coalesce(lot.heir_of_id, lot.id) = bought.id)
               each_lot
        """,
    ),
    Invariant(
        "B35",
        "No lot that was bought is frozen but that of a payment.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT lot.id, payment.id IS NULL AS broken
                  FROM credits_lot lot
                  LEFT JOIN billing_payment payment
                    ON payment.organization_id = lot.organization_id
                   AND lot.origin = 'payment_intent:' || payment.stripe_payment_intent_id
                 WHERE lot.frozen_at IS NOT NULL
                       AND lot.origin LIKE 'payment_intent:%') each_lot
        """,
    ),
    Invariant(
        "B36",
        "Refunds and disputes are of their organization's payments, and of those that were paid.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT one.id, payment.organization_id <> one.organization_id
                               OR payment.settled_at IS NULL AS broken
                  FROM (SELECT id, organization_id, payment_id FROM billing_refund
                         UNION ALL
                        SELECT id, organization_id, payment_id FROM billing_dispute) one
                  JOIN billing_payment payment ON payment.id = one.payment_id) each_reversal
        """,
    ),
)

"""What must always be true of passes, and of plans that staff gave."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "B80",
        "What is limited ends when its times say: their seconds, without those taken back.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT subscription.id,
                       subscription.current_period_end IS DISTINCT FROM
                       subscription.current_period_start + interval '1 second'
                       * sum(plan_time.days::bigint * 86400 - plan_time.seconds_taken) AS broken
                  FROM billing_organizationsubscription subscription
                  LEFT JOIN billing_plantime plan_time
                    ON plan_time.subscription_id = subscription.id
                 WHERE subscription.is_limited
                       AND subscription.status NOT IN ('cancelled', 'expired')
                 GROUP BY subscription.id) each_subscription
        """,
    ),
    Invariant(
        "B81",
        "A pass was bought at the terms of its version, and once it is paid it has its days.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT payment.id,
                       (payment.amount, payment.currency, payment.credits, payment.valid_days)
                       IS DISTINCT FROM
                       (version.price, version.currency, version.included_credits,
                        version.interval_count::bigint)
                       OR (payment.status = 'succeeded') <> (plan_time.id IS NOT NULL)
                       OR plan_time.id IS NOT NULL
                          AND (plan_time.version_id, plan_time.days, plan_time.organization_id)
                              IS DISTINCT FROM
                              (version.id, payment.valid_days, payment.organization_id) AS broken
                  FROM billing_payment payment
                  JOIN billing_planversion version ON version.id = payment.plan_version_id
                  LEFT JOIN billing_plantime plan_time ON plan_time.payment_id = payment.id
                 WHERE payment.purpose = 'pass') each_payment
        """,
    ),
    Invariant(
        "B82",
        "The credits that came with days which staff gave are what the ledger says.",
        """
        WITH said AS (
            SELECT organization_id, sum(credits) AS credits FROM billing_plantime
             WHERE payment_id IS NULL GROUP BY organization_id),
        given AS (
            SELECT organization_id, sum(amount) AS credits FROM credits_credittransaction
             WHERE source = 'comp' AND transaction_type = 'earned' GROUP BY organization_id)
        SELECT count(*), count(*) FILTER (WHERE broken),
               min(organization_id::text) FILTER (WHERE broken)
          FROM (SELECT coalesce(said.organization_id, given.organization_id) AS organization_id,
                       coalesce(said.credits, 0) <> coalesce(given.credits, 0) AS broken
                  FROM said FULL JOIN given ON given.organization_id = said.organization_id)
               each_organization
        """,
    ),
)

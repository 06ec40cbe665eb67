"""What must always be true of subscriptions, and of the credits that they gave."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "B50",
        "Every subscription that works has a period, and one of a paid plan is Stripe's as well.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT subscription.id,
                       subscription.current_period_start IS NULL
                       OR subscription.current_period_end IS NULL
                       OR (version.price > 0 AND NOT subscription.is_limited
                           AND subscription.stripe_subscription_id IS NULL) AS broken
                  FROM billing_organizationsubscription subscription
                  JOIN billing_planversion version ON version.id = subscription.version_id
                 WHERE subscription.status IN ('trial', 'active', 'past_due', 'paused')) each_one
        """,
    ),
    Invariant(
        "B51",
        "What changes of plans say that they took and gave is what the ledger says.",
        """
        WITH said AS (
            SELECT organization_id, sum(credits_taken) AS taken, sum(credits_given) AS given
              FROM billing_subscriptionchange WHERE posted_at IS NOT NULL
             GROUP BY organization_id),
        moved AS (
            SELECT organization_id, coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS taken,
                   coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS given
              FROM credits_credittransaction
             WHERE source = 'subscription' AND reference LIKE 'sub:%:schg\\_%'
             GROUP BY organization_id)
        SELECT count(*), count(*) FILTER (WHERE broken),
               min(organization_id::text) FILTER (WHERE broken)
          FROM (SELECT coalesce(said.organization_id, moved.organization_id) AS organization_id,
                       (coalesce(said.taken, 0), coalesce(said.given, 0))
                       <> (coalesce(moved.taken, 0), coalesce(moved.given, 0)) AS broken
                  FROM said FULL JOIN moved ON moved.organization_id = said.organization_id)
               each_organization
        """,
    ),
    Invariant(
        "B52",
        "Credits of a period went to an organization that has, or had, a subscription.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT lot.id, NOT EXISTS (
                       SELECT FROM billing_organizationsubscription subscription
                        WHERE subscription.organization_id = lot.organization_id) AS broken
                  FROM credits_lot lot
                 WHERE lot.kind = 'subscription' AND lot.origin LIKE 'sub:osub%') each_lot
        """,
    ),
)

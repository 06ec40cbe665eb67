"""What must always be true of automatic reload."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "B40",
        "Automatic reloads were charged to those who have agreed to it, and to nobody else.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT payment.id, reload.consented_at IS NULL AS broken
                  FROM billing_payment payment
                  LEFT JOIN billing_autoreload reload USING (organization_id)
                 WHERE payment.purpose = 'reload') each_payment
        """,
    ),
    Invariant(
        "B41",
        "Two automatic reloads of an organization are at least 60 seconds apart.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id, created_at < lag(created_at) OVER (
                               PARTITION BY organization_id ORDER BY created_at)
                           + interval '60 seconds' AS broken
                  FROM billing_payment WHERE purpose = 'reload') each_payment
        """,
    ),
    Invariant(
        "B42",
        "In ten minutes there are two automatic reloads of an organization at most.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id, created_at < lag(created_at, 2) OVER (
                               PARTITION BY organization_id ORDER BY created_at)
                           + interval '10 minutes' AS broken
                  FROM billing_payment WHERE purpose = 'reload') each_payment
        """,
    ),
    Invariant(
        "B43",
        "Every automatic reload asked for what it is, and has no buyer.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id, (question ->> 'amount')::bigint IS DISTINCT FROM amount
                           OR question ->> 'currency' IS DISTINCT FROM currency
                           OR user_id IS NOT NULL AS broken
                  FROM billing_payment WHERE purpose = 'reload') each_payment
        """,
    ),
)

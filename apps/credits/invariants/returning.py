"""What must always be true of credits that return to where they came from."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "L16",
        "A lot returns to another wallet of its organization, to a lot that returns nowhere.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT lot.id,
                       origin.organization_id <> lot.organization_id
                       OR origin.wallet_id = lot.wallet_id
                       OR origin.returns_to_id IS NOT NULL OR origin.kind = 'debt' AS broken
                  FROM credits_lot lot
                  JOIN credits_lot origin ON origin.id = lot.returns_to_id) each_lot
        """,
    ),
    Invariant(
        "L17",
        "What left a lot that returns went back to the lot that it came from, and none is lost.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(reference) FILTER (WHERE broken)
          FROM (SELECT sent.reference,
                       sent.amount + coalesce(received.amount, 0) <> 0 AS broken
                  FROM (SELECT entry.reference, lot.returns_to_id AS lot_id,
                               sum(entry.amount) AS amount
                          FROM credits_credittransaction entry
                          JOIN credits_lot lot ON lot.id = entry.lot_id
                         WHERE lot.returns_to_id IS NOT NULL
                           AND entry.transaction_type IN ('transferred_out', 'expired')
                         GROUP BY 1, 2) sent
                  LEFT JOIN LATERAL (
                       SELECT amount FROM credits_credittransaction back
                        WHERE back.lot_id = sent.lot_id AND back.reference = sent.reference
                          AND back.transaction_type = 'transferred_in') received
                    ON true) each_recall
        """,
    ),
    Invariant(
        "L18",
        "What returns is recalled within the hour after its date.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT lot.id,
                       lot.expires_at + interval '1 hour'
                       < coalesce(organization.clock_at, clock_timestamp()) AS broken
                  FROM credits_lot lot
                  JOIN tenants_organization organization ON organization.id = lot.organization_id
                 WHERE lot.returns_to_id IS NOT NULL AND lot.has_credits) each_lot
        """,
    ),
)

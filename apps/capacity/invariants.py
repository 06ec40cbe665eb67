"""What must always be true of projects, blocks and allocations."""

from apps.core.invariants import Invariant, register

# What each project's blocks and allocations add up to, beside what it has counted.
SUMS = """
    SELECT project.id, project.capacity_kw, project.blocks_kw, project.allocated_kw,
           project.held_kw, coalesce(blocks.all_kw, 0) AS all_kw,
           coalesce(blocks.held_kw, 0) AS in_hold, coalesce(live.kw, 0) AS live_kw
      FROM capacity_project project
      LEFT JOIN (SELECT project_id,
                        sum(capacity_kw) FILTER (WHERE state <> 'retired') AS all_kw,
                        sum(capacity_kw) FILTER (WHERE state = 'held') AS held_kw
                   FROM capacity_capacityblock GROUP BY project_id) blocks
        ON blocks.project_id = project.id
      LEFT JOIN (SELECT block.project_id, sum(allocation.capacity_kw) AS kw
                   FROM capacity_allocation allocation
                   JOIN capacity_capacityblock block ON block.id = allocation.block_id
                  WHERE allocation.released_at IS NULL GROUP BY block.project_id) live
        ON live.project_id = project.id
"""

register(
    Invariant(
        "C01",
        "A block has at most one live allocation, as large as itself, and no day two owners.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT block.id,
                       count(allocation.id) FILTER (WHERE allocation.released_at IS NULL) > 1
                       OR bool_or(allocation.capacity_kw <> block.capacity_kw)
                       OR bool_or(allocation.effective_from < allocation.former_end
                                  AND allocation.effective_to  -- the same: it never had a day
                                      IS DISTINCT FROM allocation.effective_from)
                       AS broken
                  FROM capacity_capacityblock block
                  LEFT JOIN (SELECT *, max(coalesce(effective_to, 'infinity')) OVER before
                                       AS former_end
                               FROM capacity_allocation
                             WINDOW before AS (
                                    PARTITION BY block_id ORDER BY effective_from, created_at, id
                                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) allocation
                    ON allocation.block_id = block.id
                 GROUP BY block.id) each_block
        """,
    ),
    Invariant(
        "C02",
        "What a project counts as offered, allocated and held is so, and no more than it has.",
        f"""
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT id, (blocks_kw, allocated_kw, held_kw)
                           IS DISTINCT FROM (all_kw, live_kw, in_hold)
                           OR live_kw + in_hold > capacity_kw AS broken
                  FROM ({SUMS}) sums) each_project
        """,  # noqa: S608  a text of ours
    ),
    Invariant(
        "C03",
        "A block is allocated exactly if it has a live allocation, and held for one reservation.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT block.id,
                       (block.state = 'allocated') <> (live.id IS NOT NULL)
                       OR (block.state = 'held'
                           AND (reservation.id IS NULL OR reservation.status <> 'held'
                                OR reservation.project_id <> block.project_id)) AS broken
                  FROM capacity_capacityblock block
                  LEFT JOIN capacity_allocation live
                    ON live.block_id = block.id AND live.released_at IS NULL
                  LEFT JOIN capacity_reservation reservation ON reservation.id = block.held_for
               ) each_block
        """,
    ),
    Invariant(
        "C04",
        "A reservation holds or got exactly the kW that it says; one that ended without, none.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT reservation.id,
                       CASE reservation.status
                            WHEN 'allocated' THEN given.kw IS DISTINCT FROM reservation.capacity_kw
                            WHEN 'held' THEN given.kw IS NOT NULL
                                          OR held.kw <> reservation.capacity_kw
                                          OR held.kw IS NULL AND reservation.hold_expires_at > now()
                            ELSE given.kw IS NOT NULL END AS broken
                  FROM capacity_reservation reservation
                  LEFT JOIN LATERAL (SELECT sum(capacity_kw) AS kw FROM capacity_allocation
                                      WHERE reservation_id = reservation.id) given ON true
                  LEFT JOIN LATERAL (SELECT sum(capacity_kw) AS kw FROM capacity_capacityblock
                                      WHERE held_for = reservation.id) held ON true
               ) each_reservation
        """,
    ),
    Invariant(
        "C05",
        "What was paid for a reservation has succeeded, was its own organization's, and is final.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT reservation.id,
                       payment.status <> 'succeeded'
                       OR payment.organization_id <> reservation.organization_id
                       OR reservation.status NOT IN ('allocated', 'late') AS broken
                  FROM capacity_reservation reservation
                  JOIN billing_payment payment ON payment.id = reservation.payment_id
               ) each_paid
        """,
    ),
    Invariant(
        "C06",
        "An offer is a reservation of who waited, of this project, and stands or ended as it did.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT entry.id,
                       reservation.organization_id <> entry.organization_id
                       OR reservation.project_id <> entry.project_id
                       OR NOT CASE entry.status
                                   WHEN 'offered' THEN reservation.status = 'held'
                                   WHEN 'taken' THEN reservation.status = 'allocated'
                                   WHEN 'declined' THEN reservation.status IN ('released', 'late')
                                   ELSE reservation.status IN ('expired', 'late', 'allocated')
                              END AS broken  -- lapsed: what is paid late may be had still
                  FROM capacity_waitlistentry entry
                  JOIN capacity_reservation reservation ON reservation.id = entry.reservation_id
               ) each_offer
        """,
    ),
    Invariant(
        "C07",
        "Shares and what is banked are what was read, to the Wh, and all of it, to the thousandth.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT reading.id,
                       reading.energy_wh <> reading.banked_wh + coalesce(sum(share.energy_wh), 0)
                       OR reading.banked_percent + coalesce(sum(share.percent), 0) <> 100
                       OR reading.posted_at IS NOT NULL
                          AND count(*) FILTER (WHERE share.id IS NOT NULL
                                               AND share.posted_at IS NULL) > 0 AS broken
                  FROM capacity_generationreading reading
                  LEFT JOIN capacity_generationshare share ON share.reading_id = reading.id
                 WHERE reading.shared_at IS NOT NULL
                 GROUP BY reading.id) each_reading
        """,
    ),
    Invariant(
        "C08",
        "What shares say that they got is what the ledger granted and took back for it.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(whose) FILTER (WHERE broken)
          FROM (SELECT coalesce(share.organization_id, moved.organization_id)::text AS whose,
                       coalesce(share.credits, 0) <> coalesce(moved.credits, 0) AS broken
                  FROM (SELECT organization_id, reference, sum(credits) AS credits
                          FROM capacity_generationshare WHERE posted_at IS NOT NULL
                         GROUP BY organization_id, reference) share
                  FULL JOIN (SELECT organization_id, 'generation:' || source_id AS reference,
                                    sum(amount) AS credits
                               FROM credits_credittransaction
                              WHERE source = 'generation'
                                AND transaction_type IN ('earned', 'clawed_back')
                              GROUP BY organization_id, source_id) moved
                    ON moved.organization_id = share.organization_id
                   AND moved.reference = share.reference) each_posting
        """,
    ),
    Invariant(
        "C09",
        "What was paid for a reservation through Stripe is allocated or goes back: never both.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT payment.id,
                       EXISTS (SELECT FROM capacity_reservation reservation
                                WHERE reservation.id = payment.subject_id
                                  AND reservation.payment_id = payment.id
                                  AND reservation.status = 'allocated')
                       = EXISTS (SELECT FROM billing_refund refund
                                  WHERE refund.payment_id = payment.id
                                    AND refund.reason = 'undeliverable') AS broken
                  FROM billing_payment payment
                 WHERE payment.purpose = 'capacity' AND payment.status = 'succeeded'
               ) each_payment
        """,
    ),
    Invariant(
        "C10",
        "Who waits is counted on the project, and was overtaken only if nothing free fitted him.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT project.id,
                       project.waiting_count <> count(own.id)
                       OR coalesce(bool_or(EXISTS (
                              SELECT FROM capacity_waitlistentry served
                               WHERE served.project_id = project.id
                                 AND served.offered_at
                                     > coalesce(own.passed_over_at, own.created_at)
                                 AND (NOT served.comes_first, served.created_at, served.id)
                                     > (NOT own.comes_first, own.created_at, own.id)
                          )), false) AS broken
                  FROM capacity_project project
                  LEFT JOIN capacity_waitlistentry own
                    ON own.project_id = project.id AND own.status = 'waiting'
                 GROUP BY project.id) each_project
        """,
    ),
)

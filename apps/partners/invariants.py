"""What must always be true of programmes and of what they hand on (docs/guides/partners.md)."""

from apps.core.invariants import Invariant, register

register(
    Invariant(
        "H01",
        "An award is one transfer of its credits, out of the pool into its member's wallet.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT award.id,
                       (coalesce(sum(entry.amount) FILTER (WHERE entry.wallet_id = pool.id), 0),
                        coalesce(sum(entry.amount)
                                 FILTER (WHERE entry.wallet_id = member.wallet_id), 0))
                       <> (-award.credits, award.credits) AS broken
                  FROM partners_partnercredit award
                  JOIN partners_partnermember member ON member.id = award.member_id
                  JOIN credits_wallet pool ON pool.organization_id = award.organization_id
                   AND pool.kind = 'organization'
                  LEFT JOIN credits_credittransaction entry
                    ON entry.wallet_id IN (pool.id, member.wallet_id)
                   AND entry.reference = award.reference
                   AND entry.transaction_type IN ('transferred_in', 'transferred_out')
                 GROUP BY award.id) each_award
        """,
    ),
    Invariant(
        "H02",
        "What is in a member's wallet was awarded to him, and returns if its terms say so.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT lot.id,
                       lot.kind NOT IN ('adjustment', 'debt')
                       AND (award.id IS NULL OR award.member_id <> member.id
                            OR (terms.unused = 'return') <> (lot.returns_to_id IS NOT NULL))
                       AS broken
                  FROM partners_partnermember member
                  JOIN credits_lot lot ON lot.wallet_id = member.wallet_id
                  LEFT JOIN credits_lot first ON first.id = lot.heir_of_id
                  LEFT JOIN partners_partnercredit award ON award.reference
                         = regexp_replace(coalesce(first.origin, lot.origin), ':[^:]*$', '')
                  LEFT JOIN partners_partnerterms terms ON terms.id = award.terms_id) each_lot
        """,
    ),
    Invariant(
        "H03",
        "What left a pool for members is what came back, what they have, and what they used or"
        " let lapse.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT partner.id,
                       left_pool.net <> coalesce(theirs.balance, 0) + coalesce(theirs.gone, 0)
                       AS broken
                  FROM partners_partner partner
                  JOIN credits_wallet pool ON pool.organization_id = partner.organization_id
                   AND pool.kind = 'organization'
                 CROSS JOIN LATERAL (
                       SELECT coalesce(-sum(amount), 0) AS net FROM credits_credittransaction
                        WHERE wallet_id = pool.id AND source = 'partner'
                          AND transaction_type IN ('transferred_in', 'transferred_out')) left_pool
                 CROSS JOIN LATERAL (
                       SELECT sum(wallet.balance) AS balance, sum(moved.gone) AS gone
                         FROM partners_partnermember member
                         JOIN credits_wallet wallet ON wallet.id = member.wallet_id
                        CROSS JOIN LATERAL (
                              SELECT coalesce(-sum(amount), 0) AS gone
                                FROM credits_credittransaction
                               WHERE wallet_id = wallet.id AND transaction_type
                                     NOT IN ('transferred_in', 'transferred_out', 'redated'))
                              moved
                        WHERE member.partner_id = partner.id) theirs) each_partner
        """,
    ),
    Invariant(
        "H04",
        "What a campaign has awarded is the sum of its awards.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT campaign.id,
                       campaign.awarded <> coalesce(sum(award.credits), 0) AS broken
                  FROM partners_campaign campaign
                  LEFT JOIN partners_partnercredit award ON award.campaign_id = campaign.id
                 GROUP BY campaign.id) each_campaign
        """,
    ),
    Invariant(
        "H05",
        "Who has left a programme has no award that is not settled.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT member.id,
                       EXISTS (SELECT FROM partners_partnercredit award
                                WHERE award.member_id = member.id AND award.settled_at IS NULL)
                       AS broken
                  FROM partners_partnermember member WHERE member.status = 'left') each_member
        """,
    ),
    Invariant(
        "H10",
        "In each month, what a pool handed on is what its members got, less what came back.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT partner.id, sum(entry.amount) <> 0 AS broken
                  FROM partners_partner partner
                  JOIN tenants_organization organization
                    ON organization.id = partner.organization_id
                  JOIN credits_wallet wallet ON wallet.organization_id = partner.organization_id
                   AND (wallet.kind = 'organization'
                        OR EXISTS (SELECT FROM partners_partnermember member
                                    WHERE member.wallet_id = wallet.id))
                  JOIN credits_credittransaction entry ON entry.wallet_id = wallet.id
                   AND entry.transaction_type IN ('transferred_in', 'transferred_out')
                   AND entry.source = 'partner'
                 GROUP BY partner.id, date_trunc(
                       'month', entry.created_at AT TIME ZONE organization.time_zone)) each_month
        """,
    ),
)
register(
    Invariant(
        "H20",
        "A row of an upload that was carried out awarded its credits to its own member.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT line.id,
                       (award.credits, award.member_id, award.partner_id)
                       IS DISTINCT FROM (line.credits, line.member_id, upload.partner_id)
                       AS broken
                  FROM partners_uploadrow line
                  JOIN partners_upload upload ON upload.id = line.upload_id
                  LEFT JOIN partners_partnercredit award ON award.id = line.award_id
                 WHERE line.status IN ('done', 'repeated') AND upload.ended_at IS NOT NULL
               ) each_row
        """,
    ),
)
register(
    Invariant(
        "H21",
        "No row of an upload that ended still waits to be carried out.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT line.id, line.status IN ('read', 'new', 'changed', 'unchanged') AS broken
                  FROM partners_uploadrow line
                  JOIN partners_upload upload ON upload.id = line.upload_id
                 WHERE upload.ended_at IS NOT NULL) each_row
        """,
    ),
)

"""What became of the credits that were awarded in each campaign."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.core.ids import encode
from apps.partners.models import Campaign, Partner
from apps.partners.selectors.campaigns import FAMILY
from apps.partners.selectors.moved import CORRECTED, LAPSED, SENT, rows_of, sum_of, written

# What was used is what is neither left nor gone elsewhere: members' charges are by far the most
# movements, and are not read. The others are found by wallet, in the index that has no charges.
STANDING = f"""
    WITH shown AS (
        SELECT * FROM partners_campaign
         WHERE partner_id = %(partner)s
         ORDER BY begins_at DESC, id DESC
         LIMIT %(limit)s),
    {FAMILY},
    given AS (
        SELECT campaign_id, count(*) AS awards, sum(credits)::bigint AS awarded,
               coalesce(sum(credits) FILTER (WHERE claimed_at IS NOT NULL), 0)::bigint AS claimed
          FROM award GROUP BY campaign_id),
    kept AS (
        SELECT campaign_id, sum(remaining)::bigint AS remaining FROM family GROUP BY campaign_id),
    moved AS MATERIALIZED (
        SELECT entry.lot_id, entry.transaction_type, entry.amount
          FROM credits_credittransaction entry
         WHERE entry.wallet_id IN (SELECT wallet_id FROM award)
           AND entry.transaction_type <> 'consumed'
           AND entry.transaction_type IN ({written(*SENT, *LAPSED, *CORRECTED)})),
    gone AS (
        SELECT family.campaign_id, {sum_of("sent")}, {sum_of("lapsed")}, {sum_of("corrected")}
          FROM family JOIN moved entry ON entry.lot_id = family.id
         GROUP BY family.campaign_id)
    SELECT shown.id, shown.name, shown.budget, shown.begins_at, shown.ends_at,
           coalesce(awards, 0), coalesce(given.awarded, 0), coalesce(claimed, 0),
           coalesce(sent, 0), coalesce(lapsed, 0), coalesce(corrected, 0), coalesce(remaining, 0)
      FROM shown
      LEFT JOIN given ON given.campaign_id = shown.id
      LEFT JOIN kept ON kept.campaign_id = shown.id
      LEFT JOIN gone ON gone.campaign_id = shown.id
     ORDER BY shown.begins_at DESC, shown.id DESC
"""  # noqa: S608  of constants alone
MOST = 100  # campaigns, the latest to begin


@dataclass(frozen=True)
class CampaignStanding:
    """A campaign: awarded - used - returned - lapsed + corrected = left."""

    campaign_id: UUID
    name: str
    budget: int
    begins_at: datetime
    ends_at: datetime | None
    awards: int
    awarded: int  # credits, whether claimed or not
    claimed: int  # credits
    returned: int  # credits that went back to the pool
    lapsed: int  # credits that ended unused, or were taken away
    corrected: int  # what else moved, signed
    left: int  # credits that members have, claimed or not

    @property
    def public_id(self) -> str:
        """The campaign's id as people see it."""
        return encode(Campaign.PREFIX, self.campaign_id)

    @property
    def used(self) -> int:
        """Credits of it that members used, or that are held."""
        return self.awarded + self.corrected - self.returned - self.lapsed - self.left


def campaigns_standing(partner: Partner) -> list[CampaignStanding]:
    """Return how the latest campaigns stand, the last to begin first: one query for all."""
    rows = rows_of(STANDING, {"partner": partner.pk, "limit": MOST})
    return [CampaignStanding(*facts) for facts in rows]

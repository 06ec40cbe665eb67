"""Campaigns, and what became of the credits that were awarded in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet

from apps.core.clock import database_now
from apps.core.errors import NotFound
from apps.partners.models import Campaign, Partner
from apps.partners.selectors.moved import rows_of, sum_of

DAY_COLUMNS = ["date", "awarded", "claimed", "used", "returned", "lapsed", "corrected"]


@dataclass(frozen=True)
class Day:
    """Credits of a campaign that moved on one day, where the organization is."""

    date: date
    awarded: int = 0
    claimed: int = 0  # of awards that were claimed then
    used: int = 0  # or held; what was given back is taken off
    returned: int = 0  # to the pool
    lapsed: int = 0
    corrected: int = 0  # what else moved, signed; what got another date is no more and no less


@dataclass(frozen=True)
class Report:
    """What became of a campaign: awarded - used - returned - lapsed + corrected = left."""

    days: tuple[Day, ...]  # on which something moved, the first one first
    left: int  # in the members' wallets

    def total(self, name: str) -> int:
        """Return what the days come to, by the name of a figure."""
        return sum(getattr(day, name) for day in self.days)


def campaigns_of(partner: Partner) -> QuerySet[Campaign]:
    """Return the programme's campaigns, newest first."""
    return Campaign.objects.filter(partner=partner).order_by("-created_at", "-id")


def campaign_of(partner: Partner, public_id: str) -> Campaign:
    """
    Return the programme's campaign with this id.

    :raises NotFound: if it has none.
    """
    row_id = Campaign.read_id(public_id)
    rows = campaigns_of(partner).select_related("organization", "partner")
    found = rows.filter(pk=row_id).first() if row_id else None
    if found is None:
        raise NotFound
    return found


def open_campaigns(partner: Partner) -> QuerySet[Campaign]:
    """Return the campaigns that are not over, by name: they may be awarded in, now or later."""
    rows = campaigns_of(partner).order_by("name", "id")
    return rows.filter(Q(ends_at=None) | Q(ends_at__gt=database_now()))


# Of the campaigns in `shown`: their awards; and the lots that these went into, with their heirs.
FAMILY = """award AS (
        SELECT award.campaign_id, award.reference, award.credits, award.created_at,
               award.claimed_at, member.wallet_id
          FROM partners_partnercredit award
          JOIN partners_partnermember member ON member.id = award.member_id
         WHERE award.campaign_id IN (SELECT id FROM shown)
    ), family AS (
        SELECT award.campaign_id, lot.id, lot.remaining
          FROM credits_lot lot
          LEFT JOIN credits_lot eldest ON eldest.id = lot.heir_of_id
          JOIN award ON award.wallet_id = lot.wallet_id
           AND award.reference = regexp_replace(coalesce(eldest.origin, lot.origin), ':[^:]*$', '')
    )"""
# What moved on each day; beside each day what is left now, so that both are of one moment.
BY_DAY = f"""
    WITH shown AS (SELECT id FROM partners_campaign WHERE id = %(campaign)s),
    {FAMILY},
    given AS (
        SELECT (moment AT TIME ZONE %(zone)s)::date AS day,
               coalesce(sum(credits) FILTER (WHERE what = 'awarded'), 0)::bigint AS awarded,
               coalesce(sum(credits) FILTER (WHERE what = 'claimed'), 0)::bigint AS claimed
          FROM award
         CROSS JOIN LATERAL (VALUES ('awarded', created_at), ('claimed', claimed_at))
               AS one (what, moment)
         WHERE moment IS NOT NULL
         GROUP BY day),
    gone AS (
        SELECT (entry.created_at AT TIME ZONE %(zone)s)::date AS day,
               {sum_of("used")}, {sum_of("sent")}, {sum_of("lapsed")}, {sum_of("corrected")}
          FROM credits_credittransaction entry
          JOIN family ON family.id = entry.lot_id
         GROUP BY day)
    SELECT days.*, (SELECT coalesce(sum(remaining), 0)::bigint FROM family)
      FROM (SELECT day, coalesce(awarded, 0) AS awarded, coalesce(claimed, 0) AS claimed,
                   coalesce(used, 0) AS used, coalesce(sent, 0) AS sent,
                   coalesce(lapsed, 0) AS lapsed, coalesce(corrected, 0) AS corrected
              FROM given FULL JOIN gone USING (day)) days
     WHERE (awarded, claimed, used, sent, lapsed, corrected) <> (0, 0, 0, 0, 0, 0)
     ORDER BY day
"""  # noqa: S608  of constants alone


def report_of(campaign: Campaign) -> Report:
    """Return what became of the campaign's credits, from the ledger, in one query."""
    zone = campaign.organization.time_zone
    rows = rows_of(BY_DAY, {"campaign": campaign.pk, "zone": zone})
    left = rows[0][-1] if rows else 0
    return Report(tuple(Day(*facts) for *facts, _ in rows), left)


def day_rows(report: Report) -> Iterator[tuple[object, ...]]:
    """Yield a row for each day, in the order of DAY_COLUMNS."""
    for day in report.days:
        yield (
            *(day.date.isoformat(), day.awarded, day.claimed),
            *(day.used, day.returned, day.lapsed, day.corrected),
        )


def stands(campaign: Campaign, now: datetime) -> str:
    """Tell how a campaign stands: to come, open, spent or over."""
    if campaign.ends_at is not None and campaign.ends_at <= now:
        return "over"
    if campaign.begins_at > now:
        return "to come"
    return "spent" if campaign.awarded >= campaign.budget else "open"

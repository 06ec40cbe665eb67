"""What the members of a programme used, by day, week or month where the organization is."""

from dataclasses import dataclass
from datetime import date, timedelta

from apps.core.clock import database_now
from apps.core.periods import next_month
from apps.partners.models import Partner
from apps.partners.selectors.moved import USE, day_begins, day_of, rows_of

LENGTHS = {"day": 30, "week": 26, "month": 12}  # how many are shown
USED = """
    SELECT date_trunc(%(unit)s, entry.created_at AT TIME ZONE %(zone)s)::date,
           -sum(entry.amount)::bigint
      FROM credits_credittransaction entry
     WHERE entry.organization_id = %(organization)s AND entry.created_at >= %(starts)s
       AND entry.transaction_type = ANY(%(use)s)
       AND entry.wallet_id IN (SELECT member.wallet_id FROM partners_partnermember member
                                WHERE member.partner_id = %(partner)s)
     GROUP BY 1
"""


@dataclass(frozen=True)
class Used:
    """What all members used together in a day, week or month."""

    first: date  # its first day; weeks begin on Monday
    credits: int  # below zero where more was given back than charged


def usage_by(partner: Partner, unit: str) -> list[Used]:
    """Return what members used in each of the last days, weeks or months, until now."""
    organization = partner.organization
    firsts = firsts_of(unit, day_of(organization, database_now()))
    values = {
        "unit": unit,
        "zone": organization.time_zone,
        "organization": organization.pk,
        "partner": partner.pk,
        "use": list(USE),
        "starts": day_begins(organization, firsts[0]),
    }
    used = dict(rows_of(USED, values))
    return [Used(first, used.get(first, 0)) for first in firsts]


def firsts_of(unit: str, today: date) -> list[date]:
    """Return the first days of the last days, weeks or months, the latest last."""
    count = LENGTHS[unit]
    if unit == "month":
        months = [today.replace(day=1)]
        while len(months) < count:
            months.append((months[-1] - timedelta(days=1)).replace(day=1))
        return months[::-1]
    step = timedelta(days=7 if unit == "week" else 1)
    last = today - timedelta(days=today.weekday()) if unit == "week" else today
    return [last - step * back for back in range(count)][::-1]


def last_day_of(unit: str, first: date) -> date:
    """Return the last day of the day, week or month that begins on this one."""
    if unit == "month":
        return next_month(first) - timedelta(days=1)
    return first + timedelta(days=6 if unit == "week" else 0)

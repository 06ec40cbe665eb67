"""
Statements of a programme and of its members, by months of the organization.

A wallet's movements in a month are a range of numbers, because the times of its rows never go
back. Pool and members are read in one statement of SQL, so that what moves meanwhile is either
on both sides or on none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from apps.core.clock import database_now
from apps.core.ids import encode
from apps.core.periods import Period, next_month
from apps.credits.selectors import main_wallet
from apps.credits.selectors.statements import first_movement_at
from apps.partners.errors import ProgrammeStatementTooLong
from apps.partners.models import Partner, PartnerMember
from apps.partners.selectors.moved import SUMS, Moved, day_begins, day_of, rows_of
from apps.tenants.models import Organization

MONTHS_OFFERED = 36
LARGEST_PDF = 500  # members: a web process is busy for some seconds
COLUMNS = [
    "line",
    "member",
    "email",
    "group",
    "cost_centre",
    "opening",
    "bought",
    "awarded",
    "used",
    "returned",
    "lapsed",
    "corrected",
    "closing",
]
# Where each wallet stood when the month began and ended, and what moved in between.
MOVED = f"""
    LEFT JOIN LATERAL (
         SELECT entry.sequence, entry.balance_after FROM credits_credittransaction entry
          WHERE entry.wallet_id = wallets.wallet_id AND entry.organization_id = %(organization)s
            AND entry.created_at < %(starts)s
          ORDER BY {{order}} LIMIT 1) opening ON true
    LEFT JOIN LATERAL (
         SELECT entry.sequence, entry.balance_after FROM credits_credittransaction entry
          WHERE entry.wallet_id = wallets.wallet_id AND entry.organization_id = %(organization)s
            AND entry.created_at < %(ends)s
          ORDER BY {{order}} LIMIT 1) closing ON true
    CROSS JOIN LATERAL (
         SELECT {SUMS} FROM credits_credittransaction entry
          WHERE entry.wallet_id = wallets.wallet_id
            AND entry.sequence > coalesce(opening.sequence, 0)
            AND entry.sequence <= coalesce(closing.sequence, 0)) moved
"""  # noqa: S608  two texts of ours
# The pool is found by time, through its organization: it may have had very many rows since.
OF_POOL = MOVED.format(order="entry.created_at DESC, entry.sequence DESC")
OF_MEMBER = MOVED.format(order="entry.sequence DESC")
ENDS = "coalesce(opening.balance_after, 0) AS before, coalesce(closing.balance_after, 0) AS after"
LINE = "before, granted, received, sent, used, lapsed, corrected, after"
ALL = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in LINE.split(", "))
STATEMENT = f"""
    WITH pool AS (
        SELECT {ENDS}, moved.*
          FROM (SELECT wallet.id AS wallet_id FROM credits_wallet wallet
                 WHERE wallet.organization_id = %(organization)s
                   AND wallet.kind = 'organization') wallets {OF_POOL}),
    members AS (
        SELECT wallets.id, wallets.email, wallets.team, wallets.cost_centre, {ENDS}, moved.*
          FROM (SELECT member.id, member.email, member.wallet_id,
                       coalesce(team.name, '') AS team,
                       coalesce(team.cost_centre, '') AS cost_centre
                  FROM partners_partnermember member
                  LEFT JOIN partners_membergroup team ON team.id = member.group_id
                 WHERE member.partner_id = %(partner)s) wallets {OF_MEMBER}
         WHERE opening.balance_after <> 0 OR closing.sequence > coalesce(opening.sequence, 0))
    SELECT 'pool', NULL::uuid, '', '', '', 1, {LINE} FROM pool
     UNION ALL
    SELECT 'members', NULL, '', '', '', count(*), {ALL} FROM members
     UNION ALL
    (SELECT 'member', id, email, team, cost_centre, 1, {LINE} FROM members
      WHERE email > %(past)s ORDER BY email LIMIT %(limit)s)
"""  # noqa: S608  texts of ours


@dataclass(frozen=True)
class PoolLine:
    """The pool's month: opening + bought - awarded - used + returned - lapsed + corrected."""

    opening: int = 0
    bought: int = 0
    awarded: int = 0
    used: int = 0  # by the organization itself
    returned: int = 0
    lapsed: int = 0
    corrected: int = 0  # signed
    closing: int = 0

    @classmethod
    def of(cls, opening: int, moved: Moved, closing: int) -> "PoolLine":
        """Return the line in the words of the pool."""
        came, went = (moved.granted, moved.sent), (moved.used, moved.received, moved.lapsed)
        return cls(opening, *came, *went, moved.corrected, closing)


@dataclass(frozen=True)
class MemberLine:
    """
    A month of one member, or of all.

    opening + awarded - used - returned - lapsed + corrected = closing
    """

    opening: int = 0
    awarded: int = 0
    used: int = 0
    returned: int = 0
    lapsed: int = 0
    corrected: int = 0  # signed; what staff gave him directly as well
    closing: int = 0
    member: str = ""  # public id; empty: not of one member
    email: str = ""
    group: str = ""
    cost_centre: str = ""

    @classmethod
    def of(cls, opening: int, moved: Moved, closing: int, *who: str) -> "MemberLine":
        """Return the line in the words of members."""
        moves = (moved.received, moved.used, moved.sent, moved.lapsed)
        return cls(opening, *moves, moved.corrected + moved.granted, closing, *who)

    @property
    def numbers(self) -> list[int]:
        """What the line counts, in the order of COLUMNS; members buy nothing."""
        moved = [0, self.awarded, self.used, self.returned, self.lapsed, self.corrected]
        return [self.opening, *moved, self.closing]


@dataclass(frozen=True)
class ProgrammeStatement:
    """A month of a programme. The lines of all members add up to `members`."""

    partner: Partner
    month: date  # its first day
    pool: PoolLine
    members: MemberLine
    count: int  # members that had or moved something
    lines: tuple[MemberLine, ...]  # by address: all of them, or a page
    has_more: bool = False

    @property
    def last_day(self) -> date:
        """The last day that is in it."""
        return last_day_of(self.month)

    @property
    def name(self) -> str:
        """What its files are called, without an ending."""
        return f"programme-{self.partner.public_id}-{self.month:%Y-%m}"

    def rows(self) -> Iterator[list[object]]:
        """Yield the lines of its CSV: the pool, each member, and all members."""
        pool = self.pool
        moved = [pool.bought, pool.awarded, pool.used, pool.returned, pool.lapsed, pool.corrected]
        yield ["pool", *[""] * 4, pool.opening, *moved, pool.closing]
        for one in self.lines:
            who = [one.member, one.email, one.group, one.cost_centre]
            yield ["member", *who, *one.numbers]
        yield ["members", *[""] * 4, *self.members.numbers]


def programme_statement(
    partner: Partner, month: date, *, past: str = "", limit: int | None = None
) -> ProgrammeStatement:
    """
    Return the statement of a month (of the one that runs: as far as it has come).

    With `limit` only so many members have a line, by address, those after `past`.
    """
    period = month_in(partner.organization, month)
    values = {
        "organization": partner.organization_id,
        "partner": partner.pk,
        "starts": period.starts_at,
        "ends": period.ends_at,
        "past": past,
        "limit": None if limit is None else limit + 1,
    }
    lines = []
    pool, members, count = PoolLine(), MemberLine(), 0
    for line, member_id, email, group, centre, rows, opening, *moved, closing in rows_of(
        STATEMENT, values
    ):
        if line == "pool":
            pool = PoolLine.of(opening, Moved(*moved), closing)
        elif line == "members":
            members, count = MemberLine.of(opening, Moved(*moved), closing), rows
        else:
            who = (encode(PartnerMember.PREFIX, member_id), email, group, centre)
            lines.append(MemberLine.of(opening, Moved(*moved), closing, *who))
    shown = lines if limit is None else lines[:limit]
    return ProgrammeStatement(
        partner, month.replace(day=1), pool, members, count, tuple(shown), len(lines) > len(shown)
    )


def document_facts(partner: Partner, month: date) -> dict[str, Any]:
    """
    Return what the PDF of a programme's statement shows.

    :raises ProgrammeStatementTooLong: if it has more members than a PDF holds.
    """
    statement = programme_statement(partner, month, limit=LARGEST_PDF)
    if statement.has_more:
        raise ProgrammeStatementTooLong(members=statement.count, largest=LARGEST_PDF)
    return {"organization": partner.organization, "statement": statement}


def month_in(organization: Organization, month: date) -> Period:
    """Return the month in which a day lies, from midnight to midnight where the organization is."""
    first = month.replace(day=1)
    return Period(day_begins(organization, first), day_begins(organization, next_month(first)))


def last_day_of(month: date) -> date:
    """Return the last day of a month."""
    return next_month(month) - timedelta(days=1)


def months_of(organization: Organization) -> list[date]:
    """Return the first days of the months since the pool's first movement, the latest first."""
    now = database_now()
    began = day_of(organization, first_movement_at(main_wallet(organization)) or now)
    months = [day_of(organization, now).replace(day=1)]
    while months[-1] > began and len(months) < MONTHS_OFFERED:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months

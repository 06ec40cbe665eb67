"""A member's month: what he had, got, used and has, and each movement where the terms show it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import QuerySet

from apps.credits.models import CreditTransaction
from apps.credits.selectors import statements as ledger
from apps.partners.models import Partner, PartnerMember, PartnerTerms
from apps.partners.selectors.moved import NAMES, Moved
from apps.partners.selectors.statements import MemberLine, last_day_of, month_in

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)  # before everything
SHOWN = 100  # movements on a page and in a PDF; the CSV has them all
COLUMNS = ["line", "created_at", "what", "credits", "balance_after", "description", "reference"]
WORDS = {"received": "awarded", "sent": "returned", "granted": "corrected"}  # as members have them


@dataclass(frozen=True)
class Movement:
    """One movement, in the words of the statement."""

    created_at: datetime
    what: str  # awarded, used, returned, lapsed, corrected
    credits: int  # signed
    balance_after: int
    description: str
    reference: str


@dataclass(frozen=True)
class MemberStatement:
    """A month of a member: opening + awarded - used - returned - lapsed + corrected = closing."""

    partner: Partner
    member: PartnerMember
    month: date  # its first day
    line: MemberLine
    within: ledger.Statement  # the same month of his wallet
    history_from: datetime | None  # from when single movements are shown; None: they are not

    @property
    def last_day(self) -> date:
        """The last day that is in it."""
        return last_day_of(self.month)

    @property
    def name(self) -> str:
        """What its files are called, without an ending."""
        return f"member-{self.member.public_id}-{self.month:%Y-%m}"

    @property
    def shows_history(self) -> bool:
        """Whether the terms show the partner any single movement of this month."""
        return self.history_from is not None and self.history_from < self.within.period.ends_at

    def movements(self, limit: int | None = None) -> list[Movement]:
        """Return the movements that the partner may see, the first ones first."""
        rows = self._rows()
        return [_movement(one) for one in (rows if limit is None else rows[:limit])]

    def rows(self) -> Iterator[list[object]]:
        """Yield the lines of its CSV: opening, movements if they are shown, sums, closing."""
        line = self.line
        yield ["opening", "", "", "", line.opening, "", ""]
        for one in self.movements():
            when = ledger.instant(one.created_at)
            cells = [when, one.what, one.credits, one.balance_after]
            yield ["movement", *cells, one.description, one.reference]
        for what, credits in (
            ("awarded", line.awarded),
            ("used", -line.used),
            ("returned", -line.returned),
            ("lapsed", -line.lapsed),
            ("corrected", line.corrected),
        ):
            yield ["sum", "", what, credits, "", "", ""]
        yield ["closing", "", "", "", line.closing, "", ""]

    def _rows(self) -> QuerySet[CreditTransaction]:
        rows = self.within.movements()
        if self.history_from is None:
            return rows.none()
        return rows.filter(created_at__gte=self.history_from)


def member_statement(partner: Partner, member: PartnerMember, month: date) -> MemberStatement:
    """Return a member's statement for a month (of the one that runs: as far as it has come)."""
    within = ledger.statement_of(member.wallet, month_in(partner.organization, month))
    moved = Moved.of((one.type, one.amount) for one in within.sums)
    return MemberStatement(
        partner=partner,
        member=member,
        month=month.replace(day=1),
        line=MemberLine.of(within.opening.balance, moved, within.closing.balance),
        within=within,
        history_from=history_shown_from(partner),
    )


def history_shown_from(partner: Partner) -> datetime | None:
    """
    Return from when on the partner may see what a member spent on what; None: never.

    What was spent while the terms showed sums alone stays a sum: members knew no other terms.
    """
    versions = PartnerTerms.objects.filter(partner=partner).order_by("-number")
    since: datetime | None = None
    for number, privacy, created_at in versions.values_list("number", "privacy", "created_at"):
        if privacy != PartnerTerms.Privacy.FULL:
            return since
        since = ALWAYS if number == 1 else created_at
    return since


def document_facts(statement: MemberStatement) -> dict[str, Any]:
    """Return what the PDF of a member's statement shows: its first movements, where any are."""
    movements = statement.movements(SHOWN + 1)
    return {
        "organization": statement.partner.organization,
        "statement": statement,
        "movements": movements[:SHOWN],
        "has_more": len(movements) > SHOWN,
    }


def _movement(entry: CreditTransaction) -> Movement:
    name = NAMES[entry.transaction_type]
    return Movement(
        created_at=entry.created_at,
        what=WORDS.get(name, name),
        credits=entry.amount,
        balance_after=entry.balance_after,
        description=entry.description,
        reference=entry.reference,
    )

"""
Count what leaves a wallet against its budgets, under the wallet's lock.

Order of locks: wallets, in id order, and then the counters of their budgets. A counter
belongs to one wallet, and nobody touches it without that wallet's lock; so counters are
never waited for, and cannot be part of a deadlock. Counters first would not do: a command
learns which wallets pay, and in which month, only when their locks are held. The locked
wallet says whether it has a budget at all; without one, nothing is asked and written here.

What is counted: charges and holds, in the month in which they were posted and for whoever
posted them, and whatever of them comes back, for the same month and member, whenever and by
whomever it is given back. Transfers and corrections are not use.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import args_row
from psycopg.types.numeric import Int8

from apps.core import context
from apps.core.db import Ask, one_trip
from apps.credits.errors import BudgetExceeded
from apps.credits.ledger.book import Outcome, Plan
from apps.credits.ledger.state import State

COUNTED = frozenset({"consumed", "held", "released", "refunded"})
# Of everybody, and of who is acting. Others have nothing taken from, and so nothing to refuse.
ACTIVE_BUDGETS = """
    SELECT budget.wallet_id, budget.member_id, budget.monthly_limit, budget.action = 'stop',
           coalesce(counter.used, 0), span.starts AT TIME ZONE budget.time_zone,
           (span.starts + interval '1 month') AT TIME ZONE budget.time_zone
      FROM credits_budget budget
     CROSS JOIN LATERAL (
           SELECT date_trunc('month', %s::timestamptz AT TIME ZONE budget.time_zone) AS starts
           ) AS span
      LEFT JOIN credits_budgetmonth counter
        ON counter.budget_id = budget.id AND counter.month = span.starts::date
     WHERE budget.wallet_id = ANY(%s) AND budget.is_active
       AND (budget.member_id IS NULL OR budget.member_id = (SELECT credits_member_of(%s)))
     ORDER BY budget.member_id NULLS FIRST
"""
TAKERS = """
    SELECT taken.id, credits_member_of(taken.actor)
      FROM credits_credittransaction taken WHERE taken.id = ANY(%s)
"""
# Whoever's month has begun gets a row for it; the others' are made when something is counted.
NEW_MONTHS = """
    INSERT INTO credits_budgetmonth (organization_id, budget_id, month, used, monthly_limit)
    SELECT organization_id, id,
           date_trunc('month', %s::timestamptz AT TIME ZONE time_zone)::date, 0, monthly_limit
      FROM credits_budget
     WHERE wallet_id = ANY(%s) AND is_active
       AND (member_id IS NULL OR member_id = (SELECT credits_member_of(%s)))
        ON CONFLICT (budget_id, month) DO NOTHING
"""
# Months from before the budget have no row, and are not counted.
CHANGED_MONTHS = """
    WITH new AS MATERIALIZED (
         SELECT move.wallet_id, move.at, move.amount,
                credits_member_of(coalesce(taken.actor, %s)) AS member_id
           FROM unnest(%s::uuid[], %s::timestamptz[], %s::bigint[], %s::uuid[])
                AS move (wallet_id, at, amount, reverses_id)
           LEFT JOIN credits_credittransaction taken ON taken.id = move.reverses_id)
    UPDATE credits_budgetmonth AS counter SET used = counter.used + moved.amount
      FROM (SELECT budget.id,
                   date_trunc('month', new.at AT TIME ZONE budget.time_zone)::date AS month,
                   sum(new.amount)::bigint AS amount
              FROM new
              JOIN credits_budget budget
                ON budget.wallet_id = new.wallet_id AND budget.is_active
               AND (budget.member_id IS NULL OR budget.member_id = new.member_id)
             GROUP BY 1, 2) AS moved
     WHERE counter.budget_id = moved.id AND counter.month = moved.month
"""


@dataclass(frozen=True, slots=True)
class Move:
    """Credits used (negative: come back), and the time by which the month is found."""

    entry_id: UUID
    wallet_id: UUID
    at: datetime
    amount: int
    reverses_id: UUID | None


@dataclass(frozen=True, slots=True)
class Active:
    """A budget of a wallet, for everybody or for who is acting, in the month that is now."""

    wallet_id: UUID
    member_id: UUID | None
    limit: int
    stops: bool
    used: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """What has to be counted when the plan is written; nothing, if there is no budget."""

    now: datetime
    actor: str = ""
    active: Sequence[Active] = ()
    moves: Sequence[Move] = ()
    takers: Sequence[tuple[UUID, UUID | None]] = ()  # of what comes back: by whom it was taken

    def check(self, outcome: Outcome) -> None:
        """
        Refuse a command that uses more than the month has left.

        :raises BudgetExceeded: with limit, use, what was asked, whose budget, and until when.
        """
        posted = {one.id for one in outcome.entries}
        for budget in self.active:
            moves = list(self.of_month(budget))
            asked = sum(one.amount for one in moves if one.entry_id in posted)
            used = budget.used + sum(one.amount for one in moves)
            if budget.stops and asked > 0 and used > budget.limit:
                raise BudgetExceeded(
                    limit=budget.limit,
                    used=used - asked,
                    asked=asked,
                    scope="member" if budget.member_id else "organization",
                    until=budget.ends_at.isoformat(),
                )

    def of_month(self, budget: Active) -> Iterable[Move]:
        """Yield what this plan counts for a budget in the month that is now."""
        takers = dict(self.takers)
        for one in self.moves:
            # What does not give back is done by who is acting, and the budget is his.
            is_his = one.reverses_id is None or takers.get(one.reverses_id) == budget.member_id
            is_in_it = budget.member_id is None or is_his
            if one.wallet_id == budget.wallet_id and one.at >= budget.starts_at and is_in_it:
                yield one

    def write(self, ask: Ask) -> None:
        """Change the counters in the trip that writes the movements."""
        if not self.moves:
            return
        wallets = sorted({one.wallet_id for one in self.moves})
        ask(NEW_MONTHS, [self.now, wallets, self.actor])
        ask(
            CHANGED_MONTHS,
            [
                self.actor,
                [one.wallet_id for one in self.moves],
                [one.at for one in self.moves],
                [Int8(one.amount) for one in self.moves],
                [one.reverses_id for one in self.moves],
            ],
        )


def count(state: State, planned: Plan) -> Count:
    """Look the budgets up, if a wallet of which the plan uses credits has any."""
    moves = [one for one in _moves(state, planned) if state.wallets[one.wallet_id].has_budget]
    if not moves:
        return Count(state.now)
    actor = context.current().actor
    wallets = sorted({one.wallet_id for one in moves})
    reversed_ids = [one.reverses_id for one in moves if one.reverses_id]
    with one_trip() as ask:
        active = ask(ACTIVE_BUDGETS, [state.now, wallets, actor], args_row(Active))
        takers = ask(TAKERS, [reversed_ids]) if reversed_ids else None
    return Count(state.now, actor, active.fetchall(), moves, takers.fetchall() if takers else ())


def room(state: State, planned: Plan, wallet_id: UUID) -> int | None:
    """
    Return what the month has left once the plan is carried out, or None if nothing is limited.

    Of two budgets that stop whoever is acting, the one with less counts.
    """
    if not state.wallets[wallet_id].has_budget:
        return None
    actor = context.current().actor
    moves = [one for one in _moves(state, planned) if one.wallet_id == wallet_id]
    with one_trip() as ask:
        active = ask(ACTIVE_BUDGETS, [state.now, [wallet_id], actor], args_row(Active))
        takers = ask(TAKERS, [[one.reverses_id for one in moves if one.reverses_id]])
    counted = Count(state.now, actor, active.fetchall(), moves, takers.fetchall())
    return min(
        (
            one.limit - one.used - sum(move.amount for move in counted.of_month(one))
            for one in counted.active
            if one.stops
        ),
        default=None,
    )


def _moves(state: State, planned: Plan) -> Iterable[Move]:
    """Say what was used when; what comes back belongs to the time when it was taken."""
    posted_at = {one.id: one.created_at for known in state.entries.values() for one in known}
    for entry in planned.entries:
        if entry.transaction_type in COUNTED:
            at = posted_at[entry.reverses_id] if entry.reverses_id else entry.created_at
            yield Move(entry.id, entry.wallet_id, at, -entry.amount, entry.reverses_id)

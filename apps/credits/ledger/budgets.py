"""
Count what leaves a wallet against its budget, under the wallet's lock.

Order of locks: wallets, in id order, and then the counters of their budgets. A counter
belongs to one wallet, and nobody touches it without that wallet's lock; so counters are
never waited for, and cannot be part of a deadlock. Counters first would not do: a command
learns which wallets pay, and in which month, only when their locks are held.

What is counted: charges and holds, in the month in which they were posted, and whatever of
them comes back, in that same month, whenever it does. Transfers and corrections are not use.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import args_row
from psycopg.types.numeric import Int8

from apps.core.db import Ask, one_trip
from apps.credits.errors import BudgetExceeded
from apps.credits.ledger.book import Outcome, Plan
from apps.credits.ledger.state import Entry, State

COUNTED = frozenset({"consumed", "held", "released", "refunded"})
ACTIVE_BUDGETS = """
    SELECT budget.wallet_id, budget.monthly_limit, coalesce(counter.used, 0),
           span.starts AT TIME ZONE budget.time_zone,
           (span.starts + interval '1 month') AT TIME ZONE budget.time_zone
      FROM credits_budget budget
     CROSS JOIN LATERAL (
           SELECT date_trunc('month', %s::timestamptz AT TIME ZONE budget.time_zone) AS starts
           ) AS span
      LEFT JOIN credits_budgetmonth counter
        ON counter.budget_id = budget.id AND counter.month = span.starts::date
     WHERE budget.wallet_id = ANY(%s) AND budget.is_active
"""
NEW_MONTHS = """
    INSERT INTO credits_budgetmonth (budget_id, month, used)
    SELECT id, date_trunc('month', %s::timestamptz AT TIME ZONE time_zone)::date, 0
      FROM credits_budget WHERE wallet_id = ANY(%s) AND is_active
        ON CONFLICT (budget_id, month) DO NOTHING
"""
# Months from before the budget have no row, and are not counted.
CHANGED_MONTHS = """
    UPDATE credits_budgetmonth AS counter SET used = counter.used + moved.amount
      FROM (SELECT budget.id,
                   date_trunc('month', new.at AT TIME ZONE budget.time_zone)::date AS month,
                   sum(new.amount)::bigint AS amount
              FROM unnest(%s::uuid[], %s::timestamptz[], %s::bigint[])
                   AS new (wallet_id, at, amount)
              JOIN credits_budget budget
                ON budget.wallet_id = new.wallet_id AND budget.is_active
             GROUP BY 1, 2) AS moved
     WHERE counter.budget_id = moved.id AND counter.month = moved.month
"""


@dataclass(frozen=True, slots=True)
class Move:
    """Credits used (negative: come back), and the time by which the month is found."""

    wallet_id: UUID
    at: datetime
    amount: int


@dataclass(frozen=True, slots=True)
class Active:
    """A wallet's budget in the month that is now."""

    wallet_id: UUID
    limit: int
    used: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """What has to be counted when the plan is written; nothing, if there is no budget."""

    now: datetime
    active: Sequence[Active] = ()
    moves: Sequence[Move] = ()

    def check(self, outcome: Outcome) -> None:
        """
        Refuse a command that uses more than the month has left.

        :raises BudgetExceeded: with limit, use, what was asked, and until when.
        """
        for budget in self.active:
            own = [one for one in outcome.entries if one.wallet_id == budget.wallet_id]
            asked = -sum(one.amount for one in own if one.transaction_type in COUNTED)
            is_taking = any(one.transaction_type in {"consumed", "held"} for one in own)
            moved = sum(
                one.amount
                for one in self.moves
                if one.wallet_id == budget.wallet_id and one.at >= budget.starts_at
            )
            if is_taking and asked > 0 and budget.used + moved > budget.limit:
                raise BudgetExceeded(
                    limit=budget.limit,
                    used=budget.used + moved - asked,
                    asked=asked,
                    until=budget.ends_at.isoformat(),
                )

    def write(self, ask: Ask) -> None:
        """Change the counters in the trip that writes the movements."""
        if not self.active:
            return
        wallets = [one.wallet_id for one in self.active]
        ask(NEW_MONTHS, [self.now, wallets])
        ask(
            CHANGED_MONTHS,
            [
                [one.wallet_id for one in self.moves],
                [one.at for one in self.moves],
                [Int8(one.amount) for one in self.moves],
            ],
        )


def count(state: State, planned: Plan) -> Count:
    """Look the budgets up, with one look into their index, if the plan uses credits at all."""
    moves = list(_moves(state, planned.entries))
    if not moves:
        return Count(state.now)
    wallets = sorted({one.wallet_id for one in moves})
    with one_trip() as ask:
        found = ask(ACTIVE_BUDGETS, [state.now, wallets], args_row(Active))
    return Count(state.now, found.fetchall(), moves)


def room(state: State, planned: Plan, wallet_id: UUID) -> int | None:
    """Return what the month has left once the plan is carried out, or None without a budget."""
    with one_trip() as ask:
        found = ask(ACTIVE_BUDGETS, [state.now, [wallet_id]], args_row(Active))
    budget: Active | None = found.fetchone()
    if budget is None:
        return None
    moves = _moves(state, planned.entries)
    moved = sum(one.amount for one in moves if one.at >= budget.starts_at)
    return budget.limit - budget.used - moved


def _moves(state: State, entries: Iterable[Entry]) -> Iterable[Move]:
    """Say what was used when; what comes back belongs to the time when it was taken."""
    posted_at = {one.id: one.created_at for known in state.entries.values() for one in known}
    for entry in entries:
        if entry.transaction_type in COUNTED:
            at = posted_at[entry.reverses_id] if entry.reverses_id else entry.created_at
            yield Move(entry.wallet_id, at, -entry.amount)

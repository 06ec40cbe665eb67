"""
The thin shell around the rules: lock, load, plan, write.

One statement for each table, however many commands there are, and two trips to the
database: one that locks and reads, one that writes (and another to read, if a hold is
too old). Wallets are locked first, in id order, so that no two callers deadlock;
everything is read after that. Wallets, lots and holds are written before the
transactions, so that the trigger on those sees the whole.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from apps.core import context
from apps.core.db import Ask, inside_transaction, one_trip
from apps.core.errors import DomainError, NotFound
from apps.credits.errors import PreviewOutdated
from apps.credits.ledger import budgets, preview, rows
from apps.credits.ledger.book import Outcome, Plan
from apps.credits.ledger.commands import Command, Named
from apps.credits.ledger.planning import plan
from apps.credits.ledger.state import Entry, LotState, State
from apps.credits.signals import debited


@dataclass(frozen=True)
class Mode:
    """
    Whether to write, and what was shown before.

    A dry run writes nothing and returns what would be posted, with a token. Posted with
    that token, the same command is refused if its effect would now be another.
    """

    is_dry_run: bool = False
    preview_token: str = ""


POST = Mode()
DRY_RUN = Mode(is_dry_run=True)


@inside_transaction
def post(commands: Sequence[Command]) -> list[Outcome | DomainError]:
    """
    Carry out commands in order, each with an outcome or refusal of its own.

    A refused command writes nothing (but what time has made due is done all the same). It
    is for what time makes due, and no budget stops that.

    :raises NotFound: if one of the wallets does not exist; then nothing is written.
    """
    state = load(commands)
    planned = plan(state, commands)
    write(planned, budgets.count(state, planned))
    return planned.outcomes


@inside_transaction
def post_one(command: Command, mode: Mode = POST) -> Outcome:
    """
    Carry out one command, or say what that would do.

    :raises BudgetExceeded: if the wallet's month has not that much left.
    :raises PreviewOutdated: if it would do something else than what the mode's token is for.
    :raises DomainError: the command's refusal; the caller's transaction must roll back.
    """
    state = load([command])
    heads = preview.heads_of(state)
    planned = plan(state, [command])
    (outcome,) = planned.outcomes
    if isinstance(outcome, DomainError):
        raise outcome
    if outcome.is_replayed:
        return outcome
    counted = budgets.count(state, planned)
    counted.check(outcome)
    token = preview.token_of(command, heads, planned)
    if mode.is_dry_run:
        return replace(outcome, preview_token=token)
    if mode.preview_token and not preview.is_same(token, mode.preview_token):
        raise PreviewOutdated
    write(planned, counted)
    return outcome


def load(commands: Sequence[Command]) -> State:
    """
    Lock the wallets of these commands and read what the rules need to know.

    :raises NotFound: if one of the wallets does not exist.
    """
    wallet_ids = sorted({one for command in commands for one in command.wallet_ids()})
    asked = {one for command in commands for one in command.named()}
    lot_ids = {one for command in commands for one in command.lot_ids()}
    with one_trip() as ask:
        locked = rows.lock_wallets(ask, wallet_ids)
        due_and_named = rows.read_holds(ask, wallet_ids, asked)
        found = _read(ask, wallet_ids, asked, lot_ids)
    wallets = {wallet.id: wallet for wallet in locked}
    if len(wallets) < len(wallet_ids):
        raise NotFound
    holds = due_and_named.fetchall()
    # The database's clock may step back; a wallet's time never does.
    heads = [wallet.head_at for wallet in wallets.values() if wallet.head_at]
    state = State(now=max([holds[0][0], *heads]), wallets=wallets)
    for _, hold in holds:
        if hold:
            state.add_hold(hold)
    if not state.holds.keys() <= asked:  # what is due has movements of its own to know
        with one_trip() as ask:
            found = _read(ask, wallet_ids, asked | state.holds.keys(), lot_ids)
    entries, lots = found
    for lot in lots:
        state.add_lot(lot)
    for entry in entries:
        state.add_entry(entry)
    return state


def _read(
    ask: Ask, wallet_ids: Sequence[UUID], asked: Collection[Named], lot_ids: Collection[UUID]
) -> tuple[Cursor[Entry], Cursor[LotState]]:
    """Ask for the transactions with these references, and for the lots that matter."""
    return rows.read_entries(ask, asked), rows.read_lots(ask, wallet_ids, asked, lot_ids)


def write(planned: Plan, counted: budgets.Count) -> None:
    """Write the planned rows, and tell after commit which wallets paid."""
    if not planned.wallets:
        return
    caller = context.current()
    with one_trip() as ask:
        rows.update_wallets(ask, planned.wallets.values())
        if planned.new_lots:
            rows.insert_lots(ask, planned.new_lots.values())
        if planned.changed_lots:
            rows.update_lots(ask, planned.changed_lots.values())
        if planned.frozen_lots:
            rows.freeze_lots(ask, planned.frozen_lots.items())
        if planned.new_holds:
            rows.insert_holds(ask, planned.new_holds.values())
        if planned.changed_holds:
            rows.update_holds(ask, planned.changed_holds.values())
        if planned.entries:
            rows.insert_entries(ask, planned.entries, caller.actor, caller.request_id)
        counted.write(ask)
    paid = {entry.wallet_id for entry in planned.entries if entry.amount < 0}
    if paid:
        transaction.on_commit(partial(debited.send, sender=None, wallet_ids=sorted(paid)))

"""
The thin shell around the rules: lock, load, plan, write.

One statement for each table, however many commands there are. Wallets are locked
first, in id order, so that no two callers deadlock; everything is read after that.
Wallets and lots are written before the transactions, so that the trigger on those
sees the whole.
"""

from collections.abc import Sequence
from functools import partial

from django.db import connection, transaction

from apps.core import context
from apps.core.db import inside_transaction
from apps.core.errors import DomainError, NotFound
from apps.credits.ledger import rows
from apps.credits.ledger.book import Outcome, Plan
from apps.credits.ledger.commands import Command, Refund
from apps.credits.ledger.planning import plan
from apps.credits.ledger.state import State
from apps.credits.signals import debited


@inside_transaction
def post(commands: Sequence[Command]) -> list[Outcome | DomainError]:
    """
    Carry out commands in order, each with an outcome or refusal of its own.

    A refused command writes nothing (but what was past its date expires all the same).

    :raises NotFound: if one of the wallets does not exist; then nothing is written.
    """
    state = load(commands)
    planned = plan(state, commands)
    write(planned)
    return planned.outcomes


@inside_transaction
def post_one(command: Command) -> Outcome:
    """
    Carry out one command.

    :raises DomainError: the command's refusal; the caller's transaction must roll back.
    """
    (outcome,) = post([command])
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def load(commands: Sequence[Command]) -> State:
    """Lock the wallets of these commands and read what the rules need to know."""
    wallet_ids = sorted({command.wallet_id for command in commands})
    asked = {(command.wallet_id, command.reference) for command in commands}
    asked |= {
        (command.wallet_id, command.of) for command in commands if isinstance(command, Refund)
    }
    has_refund = any(isinstance(command, Refund) for command in commands)
    with connection.cursor() as cursor:
        wallets = rows.lock_wallets(cursor, wallet_ids)
        if len(wallets) < len(wallet_ids):
            raise NotFound
        entries = rows.read_entries(cursor, asked, with_refunds=has_refund)
        named_lots = {entry.lot_id for entry in entries} if has_refund else set()
        now, lots = rows.read_lots(cursor, wallet_ids, named_lots)
    state = State(now=now, wallets={wallet.id: wallet for wallet in wallets})
    for lot in lots:
        state.add_lot(lot)
    for entry in entries:
        state.add_entry(entry)
    return state


def write(planned: Plan) -> None:
    """Write the planned rows, and tell after commit which wallets paid."""
    if not planned.entries:
        return
    caller = context.current()
    with connection.cursor() as cursor:
        rows.update_wallets(cursor, planned.wallets.values())
        if planned.new_lots:
            rows.insert_lots(cursor, planned.new_lots.values())
        if planned.changed_lots:
            rows.update_lots(cursor, planned.changed_lots.values())
        rows.insert_entries(cursor, planned.entries, caller.actor, caller.request_id)
    paid = {entry.wallet_id for entry in planned.entries if entry.amount < 0}
    if paid:
        transaction.on_commit(partial(debited.send, sender=None, wallet_ids=sorted(paid)))

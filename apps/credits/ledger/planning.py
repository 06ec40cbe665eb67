"""
The rules, as a pure function: locked state and commands in, rows and outcomes out.

Order for each command: replay, then status, then expire what is due, then balance,
then write. It touches no database, so it is tested against a plain model. What each
command does stands in `rules`, one file each.
"""

from collections.abc import Callable, Sequence
from typing import Any

from apps.core.errors import DomainError
from apps.credits.errors import InvalidAmount, ReferenceReused, WalletClosed, WalletFrozen
from apps.credits.ledger.book import Book, Outcome, Plan
from apps.credits.ledger.commands import Charge, Command, Expire, Grant, Refund
from apps.credits.ledger.rules import charging, expiring, granting, refunding
from apps.credits.ledger.state import Entry, State, WalletState

LARGEST_AMOUNT = 10**15  # credits in one command

Apply = Callable[[Book, WalletState, Any], list[Entry]]
IsSame = Callable[[State, Any, Outcome], bool]
RULES: dict[type[Command], tuple[Apply, IsSame]] = {
    Grant: (granting.apply, granting.is_same),
    Charge: (charging.apply, charging.is_same),
    Refund: (refunding.apply, refunding.is_same),
    Expire: (expiring.apply, expiring.is_same),
}


def plan(state: State, commands: Sequence[Command]) -> Plan:
    """Return what carrying out the commands in order would write; a refusal stops only itself."""
    book = Book(state)
    for command in commands:
        try:
            book.plan.outcomes.append(_carry_out(book, command))
        except DomainError as refusal:
            book.plan.outcomes.append(refusal)
    return book.plan


def _carry_out(book: Book, command: Command) -> Outcome:
    wallet = book.state.wallets[command.wallet_id]
    apply, is_same = RULES[type(command)]
    if earlier := book.state.entries.get((wallet.id, command.reference)):
        outcome = Outcome(tuple(earlier), is_replayed=True)
        if not is_same(book.state, command, outcome):
            raise ReferenceReused(reference=command.reference)
        return outcome
    _check_status(wallet, command)
    _check_amount(getattr(command, "amount", None))
    if not isinstance(command, Expire):  # its own entries are what it is asked for
        book.expire_due_lots(wallet)
    return Outcome(tuple(apply(book, wallet, command)))


def _check_status(wallet: WalletState, command: Command) -> None:
    if isinstance(command, Expire):  # expiry asks nobody
        return
    if wallet.is_closed:
        raise WalletClosed
    if wallet.is_frozen and isinstance(command, Charge):
        raise WalletFrozen


def _check_amount(amount: object) -> None:
    """Refuse an amount that is no whole number above zero; None means all, where it may."""
    if amount is None:
        return
    if type(amount) is not int or not 0 < amount <= LARGEST_AMOUNT:
        raise InvalidAmount(amount=amount, largest=LARGEST_AMOUNT)

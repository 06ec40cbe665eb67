"""
The rules, as a pure function: locked state and commands in, rows and outcomes out.

Order for each command: replay, then status, then what time has made due, then balance,
then write. It touches no database, so it is tested against a plain model. What each
command does stands in `rules`, one file each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from apps.core.errors import DomainError
from apps.credits.errors import (
    InvalidAmount,
    InvalidReference,
    ReferenceReused,
    WalletClosed,
    WalletFrozen,
)
from apps.credits.ledger import commands as asked
from apps.credits.ledger import owed
from apps.credits.ledger.book import Book, Outcome, Plan
from apps.credits.ledger.commands import Command
from apps.credits.ledger.returning import Recall
from apps.credits.ledger.rules import (
    charging,
    clawing,
    deducting,
    expiring,
    freezing,
    granting,
    holding,
    owing,
    recalling,
    redating,
    refunding,
    renewing,
    settling,
    status,
    transferring,
    voiding,
)
from apps.credits.ledger.state import Entry, State, WalletState

LARGEST_AMOUNT = 10**15  # credits in one command
LONGEST_REFERENCE = 150  # characters; the ledger's own references are made from it

Apply = Callable[[Book, WalletState, Any], list[Entry]]
Earlier = Callable[[State, Any], Outcome | None]
IsSame = Callable[[State, Any, Outcome], bool]


@dataclass(frozen=True)
class Rule:
    """What a command does, and how it is known that it was done before."""

    apply: Apply
    earlier: Earlier
    is_ours: bool = False  # what time and staff do, whatever the wallet's status


def by_reference(is_same: IsSame) -> Earlier:
    """Return how most commands find what they did: by the reference of its transactions."""

    def earlier(state: State, command: Command) -> Outcome | None:
        entries = state.find(command.wallet_id, command.reference)
        if not entries:
            return None
        hold = state.holds.get((command.wallet_id, command.reference))
        outcome = Outcome(tuple(entries), is_replayed=True, hold=hold)
        if not is_same(state, command, outcome):
            raise ReferenceReused(reference=command.reference)
        return outcome

    return earlier


def never(state: State, command: Command) -> Outcome | None:
    """Find nothing: done twice, it has no more effect than once, and leaves no transaction."""
    return None


RULES: dict[type[Command], Rule] = {
    asked.Grant: Rule(granting.apply, by_reference(granting.is_same)),
    asked.Charge: Rule(charging.apply, by_reference(charging.is_same)),
    asked.Refund: Rule(refunding.apply, by_reference(refunding.is_same)),
    asked.Expire: Rule(expiring.apply, expiring.earlier, is_ours=True),
    asked.PlaceHold: Rule(holding.place, holding.placed_earlier),
    asked.RenewHold: Rule(holding.renew, never),
    asked.Capture: Rule(settling.capture, settling.captured_earlier),
    asked.Release: Rule(settling.release, settling.released_earlier),
    asked.Void: Rule(voiding.apply, by_reference(voiding.is_same)),
    # Money that went back, or is disputed, is a fact, whatever the wallet's status.
    asked.ClawBack: Rule(clawing.take, by_reference(clawing.is_same), is_ours=True),
    asked.Reinstate: Rule(clawing.give, by_reference(clawing.is_same_gift), is_ours=True),
    owed.Owe: Rule(owing.apply, by_reference(owing.is_same), is_ours=True),
    owed.Forgive: Rule(owing.forgive, by_reference(owing.is_same_gift), is_ours=True),
    asked.FreezeLot: Rule(freezing.apply, never, is_ours=True),
    asked.Deduct: Rule(deducting.apply, by_reference(deducting.is_same)),
    asked.Transfer: Rule(transferring.apply, transferring.earlier),
    # What is not used belongs to whom it returns, whatever became of either wallet.
    Recall: Rule(recalling.apply, recalling.earlier, is_ours=True),
    asked.ChangeExpiry: Rule(redating.apply, by_reference(redating.is_same)),
    asked.RenewAllowance: Rule(renewing.apply, renewing.earlier),
    asked.ChangeStatus: Rule(status.change, never, is_ours=True),
    asked.SetCreditLine: Rule(status.set_credit_line, never, is_ours=True),
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
    rule = RULES[type(command)]
    if outcome := rule.earlier(book.state, command):
        return outcome
    if not rule.is_ours:
        _check_status(wallet, command)
    _check(command)
    if not isinstance(command, asked.Expire):  # what is due is all that it is asked for
        book.bring_up_to_date(wallet)
    entries = rule.apply(book, wallet, command)
    for wallet_id in command.wallet_ids():
        entries += book.repay_debts(book.state.wallets[wallet_id], command)
    hold = book.state.holds.get((wallet.id, command.reference))
    # A copy, because later commands of the batch may change it.
    return Outcome(tuple(entries), hold=replace(hold) if hold else None)


def _check_status(wallet: WalletState, command: Command) -> None:
    if wallet.closed_at:
        raise WalletClosed
    if wallet.frozen_at and command.takes_out:
        raise WalletFrozen


def _check(command: Command) -> None:
    """
    Check what every command has in common.

    An amount is a whole number above zero; None means all, where it may be None.
    """
    if not 0 < len(command.reference) <= LONGEST_REFERENCE:
        raise InvalidReference(longest=LONGEST_REFERENCE)
    amount = getattr(command, "amount", None)
    if amount is None:
        return
    if type(amount) is not int or not 0 < amount <= LARGEST_AMOUNT:
        raise InvalidAmount(amount=amount, largest=LARGEST_AMOUNT)

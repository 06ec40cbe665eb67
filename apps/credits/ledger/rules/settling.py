"""Capture and Release: how a hold ends. Each hold ends once."""

from apps.credits.errors import CaptureExceedsHold, HoldNotFound, HoldSettled, WalletFrozen
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import Capture, Release, RenewHold
from apps.credits.ledger.rules.charging import draw_or_owe
from apps.credits.ledger.state import Entry, HoldState, State, WalletState


def capture(book: Book, wallet: WalletState, command: Capture) -> list[Entry]:
    """
    Keep what was used and give the rest back; charge the excess, if the policy says so.

    :raises HoldNotFound: if there is no such hold.
    :raises HoldSettled: if it is held no more.
    :raises CaptureExceedsHold: if it is more than was held, and the policy refuses that.
    :raises InsufficientCredits: if the excess is not covered; the hold stays.
    :raises WalletFrozen: if there is an excess to charge and nothing may leave the wallet.
    """
    hold = _open_hold(book.state, command)
    excess = max(0, command.amount - hold.amount)
    entries: list[Entry] = []
    if excess and hold.policy == "reject":
        raise CaptureExceedsHold(reference=hold.reference, held=hold.amount, asked=command.amount)
    if excess and hold.policy == "overflow":
        if wallet.frozen_at:
            raise WalletFrozen
        entries = draw_or_owe(book, wallet, excess, frozenset(hold.features), command)
    hold.captured = _captured(hold, command)
    if unused := hold.amount - min(command.amount, hold.amount):
        entries += book.give_back(wallet, hold, unused, command)
    book.settle_hold(wallet, hold, "captured")
    return entries


def captured_earlier(state: State, command: Capture) -> Outcome | None:
    """
    Return what the capture of this hold did, if it was captured.

    :raises HoldSettled: if another amount was captured then.
    """
    hold = state.holds.get((command.wallet_id, command.reference))
    if hold is None or hold.status != "captured":
        return None
    if hold.captured != _captured(hold, command):
        raise HoldSettled(reference=hold.reference, hold_status=hold.status)
    return _settled(state, hold)


def release(book: Book, wallet: WalletState, command: Release) -> list[Entry]:
    """
    Give all of it back.

    :raises HoldNotFound: if there is no such hold.
    :raises HoldSettled: if it was captured.
    """
    hold = hold_of(book.state, command)
    if hold.status == "expired":  # a moment ago, under this lock
        return list(_settled(book.state, hold).entries)
    hold = _open_hold(book.state, command)
    entries = book.give_back(wallet, hold, hold.amount, command)
    book.settle_hold(wallet, hold, "released")
    return entries


def released_earlier(state: State, command: Release) -> Outcome | None:
    """Return what gave this hold back, be it a release or time: twice is no more than once."""
    hold = state.holds.get((command.wallet_id, command.reference))
    if hold is None or hold.status not in ("released", "expired"):
        return None
    return _settled(state, hold)


def hold_of(state: State, command: Capture | Release | RenewHold) -> HoldState:
    """
    Return the hold that the command is about.

    :raises HoldNotFound: if there is none.
    """
    hold = state.holds.get((command.wallet_id, command.reference))
    if hold is None:
        raise HoldNotFound(reference=command.reference)
    return hold


def _open_hold(state: State, command: Capture | Release) -> HoldState:
    hold = hold_of(state, command)
    if hold.status != "held":
        raise HoldSettled(reference=hold.reference, hold_status=hold.status)
    return hold


def _captured(hold: HoldState, command: Capture) -> int:
    """Return what a capture of this amount takes in all."""
    return min(command.amount, hold.amount) if hold.policy == "cap" else command.amount


def _settled(state: State, hold: HoldState) -> Outcome:
    """Return the transactions that ended the hold."""
    entries = state.find(hold.wallet_id, hold.reference)
    return Outcome(
        tuple(one for one in entries if one.transaction_type in ("released", "consumed")),
        is_replayed=True,
        hold=hold,
    )

"""PlaceHold and RenewHold: credits set aside, out of their lots."""

from datetime import timedelta

from apps.core import ids
from apps.credits.errors import HoldSettled, InvalidTerms, ReferenceReused
from apps.credits.ledger.book import Book, Outcome
from apps.credits.ledger.commands import PlaceHold, RenewHold
from apps.credits.ledger.rules.charging import insufficient
from apps.credits.ledger.rules.settling import hold_of
from apps.credits.ledger.state import Entry, HoldState, State, WalletState

LONGEST_TTL = timedelta(hours=24)
POLICIES = ("reject", "cap", "overflow")


def place(book: Book, wallet: WalletState, command: PlaceHold) -> list[Entry]:
    """
    Move the amount out of the open lots, so that whatever happens to them it is there.

    :raises InvalidTerms: if it would live for less than a moment or more than a day.
    :raises InsufficientCredits: if the open lots do not cover it; a hold is never owed.
    """
    check_ttl(command.ttl)
    if command.policy not in POLICIES:
        raise InvalidTerms(field="policy", must=f"be one of {', '.join(POLICIES)}")
    lots = book.state.open_lots(wallet.id, command.features)
    available = sum(lot.remaining for lot in lots)
    if available < command.amount:
        raise insufficient(wallet, command.amount, available)
    hold = HoldState(
        id=ids.new_id(),
        wallet_id=wallet.id,
        organization_id=wallet.organization_id,
        reference=command.reference,
        amount=command.amount,
        captured=0,
        status="held",
        policy=command.policy,
        expires_at=book.state.now + command.ttl,
        credit_event_id=command.credit_event_id,
        features=sorted(command.features),
    )
    book.open_hold(wallet, hold)
    return book.draw(wallet, lots, "held", command.amount, command)


def placed_earlier(state: State, command: PlaceHold) -> Outcome | None:
    """
    Return what placed this hold, whatever has become of it since.

    :raises ReferenceReused: if it was another amount, event or policy, or no hold.
    """
    entries = state.find(command.wallet_id, command.reference)
    if not entries:
        return None
    hold = state.holds.get((command.wallet_id, command.reference))
    asked = (command.amount, command.policy, command.credit_event_id)
    if hold is None or (hold.amount, hold.policy, hold.credit_event_id) != asked:
        raise ReferenceReused(reference=command.reference)
    placed = tuple(one for one in entries if one.transaction_type == "held")
    return Outcome(placed, is_replayed=True, hold=hold)


def renew(book: Book, wallet: WalletState, command: RenewHold) -> list[Entry]:
    """
    Let the hold live until `ttl` from now, if that is later than before.

    :raises HoldNotFound: if there is no such hold.
    :raises HoldSettled: if it is held no more.
    :raises InvalidTerms: if it would live for less than a moment or more than a day.
    """
    check_ttl(command.ttl)
    hold = hold_of(book.state, command)
    if hold.status != "held":
        raise HoldSettled(reference=hold.reference, hold_status=hold.status)
    hold.expires_at = max(hold.expires_at, book.state.now + command.ttl)
    book.keep_hold(wallet, hold)
    return []


def check_ttl(ttl: timedelta) -> None:
    """
    Check how long a hold shall live.

    :raises InvalidTerms: if it is not above zero, or above a day.
    """
    if not timedelta(0) < ttl <= LONGEST_TTL:
        raise InvalidTerms(field="ttl", must="be from 1 to 86400 seconds")

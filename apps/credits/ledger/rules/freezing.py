"""FreezeLot: credits that nobody may draw on, while it is open whose money bought them."""

from apps.credits.ledger.book import Book
from apps.credits.ledger.commands import FreezeLot
from apps.credits.ledger.rules.voiding import lot_of
from apps.credits.ledger.state import Entry, WalletState


def apply(book: Book, wallet: WalletState, command: FreezeLot) -> list[Entry]:
    """
    Freeze or thaw the lot and its heirs; what is so already stays as it is, and since when.

    What is thawed repays what was owed meanwhile.

    :raises LotNotFound: if the wallet has no such lot.
    """
    family = book.state.family_of(lot_of(book.state, command))
    others = [lot for lot in family if lot.is_frozen != command.is_frozen]
    if not others:
        return []
    for lot in others:
        lot.is_frozen = command.is_frozen
        book.plan.frozen_lots[lot.id] = book.state.now if command.is_frozen else None
    book.plan.wallets[wallet.id] = wallet
    book.bring_up_to_date(wallet)  # under a reference of its own: a lot may thaw twice
    return []

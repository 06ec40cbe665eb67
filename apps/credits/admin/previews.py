"""What a correction would do, or did, as rows that staff can read."""

from collections.abc import Iterable
from typing import Any

from apps.credits.admin.forms import ACTIONS
from apps.credits.models import Correction, CreditTransaction, Lot, Wallet
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import Preview

HEADERS = ["Movement", "Credits", "Balance after", "Left in the lot", "Lot"]
Fact = tuple[str, object]
MINUS = "\u2212"


def preview_page(wallet: Wallet, preview: Preview) -> dict[str, Any]:
    """Return what a preview shows: the balance before and after, and each row."""
    return {
        "before": number(preview.balance_before),
        "after": number(preview.balance_after),
        # What time has made due is done first, and is no part of the correction.
        "due": number(wallet.balance - preview.balance_before)
        if wallet.balance > preview.balance_before
        else "",
        "needs_second_person": preview.needs_second_person,
        "amount": number(preview.amount),
        "table": table_of(preview.outcome.entries),
    }


def facts_of_terms(action: Correction.Action, terms: Terms, amount: int) -> list[Fact]:
    """Return in words what is asked for; terms that the action does not use are left out."""
    lot = Lot.objects.filter(pk=terms.lot_id).first() if terms.lot_id else None
    is_grant = action == Correction.Action.GRANT
    has_expiry = is_grant or action == Correction.Action.CHANGE_EXPIRY
    facts: list[tuple[str, object, bool]] = [
        ("Action", ACTIONS[action], True),
        ("Credits", number(amount), True),
        ("Lot", _lot(lot), lot is not None),
        ("Kind", Lot.Kind(terms.kind).label, is_grant),
        ("Begins", terms.effective_at, terms.effective_at is not None),
        ("Expires", terms.expires_at or "Never", has_expiry),
        ("Priority", terms.priority, terms.priority is not None),
        ("Cost of one", f"{terms.unit_cost} {terms.currency}", bool(terms.unit_cost)),
    ]
    return [(name, value) for name, value, is_told in facts if is_told]


def table_of(movements: Iterable[Any]) -> dict[str, Any]:
    """
    Return movements as a table of Unfold's, with one query for their lots.

    They are transactions: those of the ledger, or those that a dry run would write.
    """
    rows = list(movements)
    lots = Lot.objects.in_bulk({row.lot_id for row in rows})
    return {
        "headers": HEADERS,
        "rows": [
            [
                CreditTransaction.Type(row.transaction_type).label,
                signed(row.amount),
                number(row.balance_after),
                number(row.lot_balance_after),
                _lot(lots.get(row.lot_id)),
            ]
            for row in rows
        ],
    }


def number(credits: int) -> str:
    """Write credits with their thousands apart."""
    return f"{credits:,}".replace("-", MINUS)


def signed(credits: int) -> str:
    """Write credits with their sign."""
    return f"{credits:+,}".replace("-", MINUS)


def _lot(lot: Lot | None) -> str:
    return f"{lot.get_kind_display()} {lot.public_id}" if lot else "A new lot"

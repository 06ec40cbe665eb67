"""What the buyer changes on the Checkout page, also after an attempt that did not succeed."""

from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.resources.checkout import completion
from simulator.resources.checkout import lines as checkout_lines

# What else happens when the buyer changes what an attempt that did not succeed was for.
ON_CHANGE: list[completion.Told] = []


def apply_code(tx: Transaction, session: Object, code: str) -> None:
    """
    Apply a promotion code that the buyer has typed.

    :raises StripeError: if it does not hold here, or the session is not open.
    """
    completion.check_open(session)
    before = _offer(tx, session)
    checkout_lines.apply_code(tx, session, code)
    _follow(tx, session, before)


def set_quantities(tx: Transaction, session: Object, wanted: dict[str, int]) -> None:
    """
    Change quantities that the buyer may change, within their bounds.

    :raises StripeError: if the session is not open.
    """
    completion.check_open(session)
    before = _offer(tx, session)
    checkout_lines.set_quantities(tx, session, wanted)
    _follow(tx, session, before)


def _offer(tx: Transaction, session: Object) -> Object:
    """Return all of a session that the buyer can change."""
    quantities = {line["id"]: line["quantity"] for line in checkout_lines.of(tx, session)}
    return {"quantities": quantities, "discounts": session["discounts"]}


def _follow(tx: Transaction, session: Object, before: Object) -> None:
    """See that nothing which was begun before a change can still be paid as it was."""
    if _offer(tx, session) != before:
        for told in ON_CHANGE:
            told(tx, session)


def _ask_anew(tx: Transaction, session: Object) -> None:
    """Let a payment that waits for the bank wait for a card again: the sum is another one."""
    intent = completion.intent_of(tx, session)
    if session["mode"] != "payment" or intent is None:
        return
    intent.update(
        amount=session["amount_total"],
        next_action=None,
        payment_method=None,
        status="requires_payment_method",
    )


ON_CHANGE.append(_ask_anew)

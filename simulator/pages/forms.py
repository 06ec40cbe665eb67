"""Parts of forms that Checkout and the portal share: which card, and what went wrong."""

from simulator import cards
from simulator.core.errors import invalid
from simulator.core.transaction import Transaction
from simulator.core.values import Object
from simulator.pages.looks import text
from simulator.resources import payment_methods

# The cards that are offered, and what each of them is good for.
OFFERED = {
    "4242424242424242": "goes through",
    "4000000000000002": "is declined",
    "4000000000009995": "has insufficient funds",
    "4000002760003184": "asks for authentication",
}


def spaced(number: str) -> str:
    """Return a card's number in groups of four, as it is printed on cards."""
    return " ".join(number[place : place + 4] for place in range(0, len(number), 4))


def error(message: str | None) -> str:
    """Return a message that is read out at once, or nothing."""
    return f'<p class="error" role="alert">{text(message)}</p>' if message else ""


def card_choice(saved: list[Object], chosen: str = "") -> str:
    """Return the fieldset in which a saved card, a test card or any other number is chosen."""
    choices = [(method["id"], _shown(method)) for method in saved]
    choices += [
        (number, f"<code>{spaced(number)}</code> {text(what)}") for number, what in OFFERED.items()
    ]
    choices.append(("other", "Another test card"))
    wanted = chosen if chosen in dict(choices) else choices[0][0]
    radios = "".join(
        f'<label class="choice"><input type="radio" name="card" value="{text(value)}"'
        f"{' checked' if value == wanted else ''}> <span>{shown}</span></label>"
        for value, shown in choices
    )
    return f"""
<fieldset><legend>Card</legend>{radios}
<label>Number of another test card
<input name="number" inputmode="numeric" autocomplete="off" maxlength="24"
placeholder="4000 0000 0000 0000" aria-describedby="number-help"></label>
<p class="muted" id="number-help">Only for “Another test card”. Real cards are refused.</p>
</fieldset>"""


def _shown(method: Object) -> str:
    card = method["card"]
    until = f"{card['exp_month']:02}/{card['exp_year']}"
    return f"Saved {text(card['brand'])} ending in {text(card['last4'])}, until {until}"


def saved_methods(tx: Transaction, customer: str | None) -> list[Object]:
    """Return the cards that a customer has saved, the newest first."""
    if customer is None:
        return []
    found = tx.where("payment_method", customer=customer)
    return [method for method in found if method["type"] == "card"][::-1]


def chosen_method(
    tx: Transaction, params: Object, customer: str | None, details: Object | None = None
) -> Object:
    """
    Return the payment method that was chosen: a saved one, or a new one of a test card.

    :raises StripeError: if it is another customer's, or no test card.
    """
    value = str(params.get("card", ""))
    for method in saved_methods(tx, customer):
        if method["id"] == value:
            return method
    number = str(params.get("number", "")) if value == "other" else value
    if not number.strip():
        raise invalid("Type the number of a test card, or choose one of those above.")
    card = cards.by_number(number, "number")
    return payment_methods.make(tx, card, billing_details=details)

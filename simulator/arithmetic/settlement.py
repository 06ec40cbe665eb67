"""How a customer's balance and an invoice meet when the invoice becomes final."""

# Below these no card is charged; an amount that is not here has to be 1 at least.
SMALLEST = {"usd": 50, "eur": 50, "gbp": 30, "chf": 50, "jpy": 50, "cad": 50, "aud": 50}


def settle(total: int, balance: int, currency: str, *, is_charged: bool = True) -> tuple[int, int]:
    """
    Return what is due and what the customer's balance is afterwards.

    A balance below zero is credit and pays; one above is owed and is added. A total below
    zero becomes credit. What is too little for a card waits for the next invoice.
    """
    together = total + balance
    if together <= 0:
        return 0, together
    if total < 0 and balance > 0:
        return 0, together
    if is_charged and together < SMALLEST.get(currency, 1):
        return 0, together
    return together, 0

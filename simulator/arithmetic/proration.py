"""Prorations: what the rest of a period costs, or gives back."""


def rounded(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero, as money is rounded."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    numerator, denominator = abs(numerator), abs(denominator)
    return sign * ((2 * numerator + denominator) // (2 * denominator))


def share(amount: int, start: int, end: int, at: int) -> int:
    """
    Return the part of a period's amount that is for the time after a moment.

    Stripe prorates to the second. Before the period it is all, after it nothing.
    """
    if end <= start:
        return 0
    left = min(max(end - at, 0), end - start)
    return rounded(amount * left, end - start)

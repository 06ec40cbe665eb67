"""Money as people read it: amounts are kept in minor units and written the same way everywhere."""

from django.utils import formats

MINUS = "\u2212"

# ISO 4217: digits after the point, where they are not two.
EXPONENTS = {
    code: places
    for places, codes in (
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    )
    for code in codes.split()
}
# Only signs that name one currency without doubt; every other currency shows its code.
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥", "INR": "₹"}


def grouped(value: int | str, places: int | None = None) -> str:
    """Write a number with the locale's thousands separator and point."""
    return formats.number_format(value, decimal_pos=places, use_l10n=True, force_grouping=True)


def format_money(minor: int, currency: str) -> str:
    """
    Write an amount of money given in minor units, with as many digits as its currency has.

    >>> format_money(2050, "EUR"), format_money(500, "JPY"), format_money(-1234500, "KWD")
    ('€20.50', '¥500', '−KWD 1,234.500')
    """
    code = currency.upper()
    places = EXPONENTS.get(code, 2)
    digits = str(abs(minor)).rjust(places + 1, "0")
    # Cut as text: dividing would lose minor units of large amounts.
    whole, fraction = (digits[:-places], digits[-places:]) if places else (digits, "")
    amount = grouped(f"{whole}.{fraction}" if places else whole, places)
    sign = MINUS if minor < 0 else ""
    return f"{sign}{SYMBOLS.get(code, code + '\u00a0')}{amount}"


def format_unit_price(minor: int, units: int, currency: str) -> str:
    """
    Write what one of several units costs, with as many digits as it takes to be told apart.

    >>> format_unit_price(1900, 1000, "EUR"), format_unit_price(2000, 10, "EUR")
    ('€0.019', '€2.00')
    """
    code = currency.upper()
    places = EXPONENTS.get(code, 2)
    more = 2  # digits beyond the smallest coin
    scaled = (minor * 10**more * 2 + units) // (units * 2)  # rounded half up
    digits = str(scaled).rjust(places + more + 1, "0")
    whole, fraction = digits[: -places - more], digits[-places - more :]
    fraction = fraction[:places] + fraction[places:].rstrip("0")
    amount = grouped(f"{whole}.{fraction}" if fraction else whole, len(fraction))
    return f"{SYMBOLS.get(code, code + '\u00a0')}{amount}"

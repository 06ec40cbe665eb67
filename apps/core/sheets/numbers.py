"""What numbers mean as people and programs write them; a cell that can mean two is refused."""

import re
from decimal import Decimal

FORMULA = re.compile(r"\A\s*[=+\-@]")
SIGNS = r" ,'\u2019\u00a0\u2009\u202f"  # one of them sets thousands apart, in threes
# 5, 5.0, 1000, 1,000 and 1 000.
WHOLE = re.compile(
    rf"(?P<digits>[0-9]+|[0-9]{{1,3}}(?P<sign>[{SIGNS}])[0-9]{{3}}"
    r"(?:(?P=sign)[0-9]{3})*)(?:\.0{1,2})?"
)
TWO_WAYS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+")
# 5, 5.25 and 5,25.
DECIMAL = re.compile(r"(?P<whole>[0-9]+)(?:[.,](?P<part>[0-9]+))?")
# 1,000.5, 1.000,5 and 1 000.
GROUPED = re.compile(
    rf"(?P<whole>[0-9]{{1,3}}(?P<sign>[{SIGNS}.])[0-9]{{3}}(?:(?P=sign)[0-9]{{3}})*)"
    r"(?:(?!(?P=sign))[.,](?P<part>[0-9]+))?"
)
THOUSAND_OR_THREE_DIGITS = re.compile(r"(?P<whole>[1-9][0-9]{0,2})[.,](?P<part>[0-9]{3})")


def whole_of(text: str) -> int:
    """
    Return the whole number that a cell says.

    :raises ValueError: if it says none, or could mean two; the message says what to write.
    """
    said = _without_formula(text)
    if TWO_WAYS.fullmatch(said):
        whole = said.replace(".", "")
        raise ValueError(f"This can mean two numbers. Write {whole} or {said.partition('.')[0]}.")
    found = WHOLE.fullmatch(said)
    if not found:
        raise ValueError("This is no whole number. Write it in digits, like 10 or 1,000.")
    return int(_digits(found["digits"]))


def decimal_of(text: str) -> Decimal:
    """
    Return the number that a cell says, exactly, with a point or a comma before its last digits.

    :raises ValueError: if it says none, or could mean two; the message says what to write.
    """
    said = _without_formula(text)
    either = THOUSAND_OR_THREE_DIGITS.fullmatch(said)
    if either:
        whole, part = either["whole"], either["part"]
        raise ValueError(f"This can mean two numbers. Write {whole}{part} or {whole}.{part}0.")
    found = DECIMAL.fullmatch(said) or GROUPED.fullmatch(said)
    if not found:
        raise ValueError("This is no number. Write it in digits, like 10 or 1200.5.")
    return Decimal(f"{_digits(found['whole'])}.{found['part'] or 0}")


def _without_formula(text: str) -> str:
    said = text.strip()
    if FORMULA.match(said):
        raise ValueError("This is a formula or has a sign. Write the number itself, like 10.")
    return said


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)

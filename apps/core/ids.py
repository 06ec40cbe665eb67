"""
Ids as people see them: `org_01K…`, a prefix that says what it is, and a UUIDv7.

26 characters of Crockford's base 32 hold the 128 bits; they sort as the UUID does.
"""

from uuid import UUID

from uuid_utils.compat import uuid7

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}


def new_id() -> UUID:
    """Return a UUIDv7: unique, and in the order of its making."""
    return uuid7()


def encode(prefix: str, value: UUID) -> str:
    """Write a UUID as `prefix_` and 26 characters."""
    number = value.int
    letters = []
    for _ in range(LENGTH):
        number, digit = divmod(number, 32)
        letters.append(ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(letters))}"


def decode(prefix: str, text: str) -> UUID:
    """
    Read back what `encode` wrote.

    :raises ValueError: if the prefix is another one, or the rest is no id.
    """
    head, _, tail = text.rpartition("_")
    if head != prefix or len(tail) != LENGTH:
        raise ValueError(f"{text!r} is no id of the form {prefix}_…")
    number = 0
    for letter in tail.upper():
        if letter not in _VALUES:
            raise ValueError(f"{text!r} has a character that no id has")
        number = number * 32 + _VALUES[letter]
    if number >= 1 << 128:
        raise ValueError(f"{text!r} is too large for an id")
    return UUID(int=number)

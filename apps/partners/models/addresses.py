"""How an e-mail address is written down, so that one address is one member."""

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

LONGEST = 254  # characters: RFC 5321, 4.5.3.1.3


def normalized(text: str) -> str:
    """
    Return an address as it is kept: one form of Unicode, in lower case, without space around.

    Lower case and not `casefold`, which would turn a ß into ss, and so one domain into another.

    :raises ValueError: if it is no address that mail can be sent to.
    """
    address = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).strip().lower())
    if len(address) > LONGEST:
        raise ValueError(f"An address has {LONGEST} characters at most.")
    try:
        validate_email(address)
    except ValidationError as error:
        raise ValueError("This is no e-mail address; one looks like name@example.com.") from error
    return address

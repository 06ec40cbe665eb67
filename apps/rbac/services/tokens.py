"""
What a key looks like.

`cof_test_` or `cof_live_` of API keys, another kind of others, 8 characters that name it, 32
that are secret, and 6 of checksum, all base 62.

The checksum lets us refuse a mistyped key without asking the database, and lets scanners
of leaked secrets know one of ours when they see it.
"""

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Collection

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
NAME_LENGTH = 8
SECRET_LENGTH = 32  # 190 bits
CHECKSUM_LENGTH = 6
FORM = re.compile(r"(cof_([a-z]{4})_[0-9A-Za-z]{40})([0-9A-Za-z]{6})")
API_KEYS = ("test", "live")


def new_token(*, is_live: bool) -> str:
    """Return a new API key."""
    return token_of("live" if is_live else "test")


def token_of(kind: str) -> str:
    """Return a new key of this kind, of four letters, made by the system's generator."""
    letters = (secrets.choice(ALPHABET) for _ in range(NAME_LENGTH + SECRET_LENGTH))
    body = f"cof_{kind}_{''.join(letters)}"
    return body + checksum(body)


def checksum(body: str) -> str:
    """Return the CRC-32 of what stands before it, in base 62."""
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def is_well_formed(token: str, kinds: Collection[str] = API_KEYS) -> bool:
    """Test kind, form and checksum. Says nothing of whether the key exists."""
    found = FORM.fullmatch(token)
    return found is not None and found[2] in kinds and checksum(found[1]) == found[3]


def digest_of(token: str) -> bytes:
    """Return the SHA-256 that is kept. A slow hash is for passwords; this has 190 bits."""
    return hashlib.sha256(token.encode()).digest()


def hint_of(token: str) -> str:
    """Return how a key begins and ends, by which people tell their keys apart."""
    return f"{token[: len('cof_test_') + NAME_LENGTH]}…{token[-4:]}"

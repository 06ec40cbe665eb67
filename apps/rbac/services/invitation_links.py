"""
What the link of an invitation looks like.

`cof_invite_` and 43 characters that are secret: 256 bits. The beginning lets the logs
(config/logs.py) and scanners of leaked secrets know one when they see it.
"""

import hashlib
import re
import secrets

BEGINNING = "cof_invite_"
FORM = re.compile(rf"{BEGINNING}[A-Za-z0-9_-]{{43}}")


def new_token() -> str:
    """Return a new secret, made by the system's generator of secrets."""
    return BEGINNING + secrets.token_urlsafe(32)


def is_well_formed(token: str) -> bool:
    """Test the form, so that nonsense costs no query."""
    return FORM.fullmatch(token) is not None


def digest_of(token: str) -> bytes:
    """Return the SHA-256 that is kept. A slow hash is for passwords; this has 256 bits."""
    return hashlib.sha256(token.encode()).digest()

"""
What the links look like that are sent to a mailbox, as proof that it is one's own.

A beginning that names the kind, and 43 characters that are secret: 256 bits. The beginning lets
the logs (config/logs.py) and scanners of leaked secrets know one when they see it.
"""

import hashlib
import re
import secrets

INVITATION = "cof_invite_"  # to an organization
CLAIM = "cof_claim_"  # of credits that a partner gives
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token(kind: str) -> str:
    """Return a new secret of this kind, made by the system's generator of secrets."""
    return kind + secrets.token_urlsafe(32)


def is_well_formed(token: str, kind: str) -> bool:
    """Test kind and form, so that nonsense costs no query."""
    return token.startswith(kind) and SECRET.fullmatch(token[len(kind) :]) is not None


def digest_of(token: str) -> bytes:
    """Return the SHA-256 that is kept. A slow hash is for passwords; this has 256 bits."""
    return hashlib.sha256(token.encode()).digest()

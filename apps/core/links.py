"""
Links to stored files: signed, for one principal, and only for some minutes.

A link names organization, file, person and key, and until when it works; whoever opens it is
asked for nothing else than what its view asks. With a bucket, the bucket signs and opens.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils import timezone

from apps.core import context, scope
from apps.core.errors import NotFound
from apps.core.files import StoredFile, bucket_address, is_in_bucket

PREFIX = "cof_link_"  # by which the logs know what to hide
STEP = 60  # seconds: within them a page that asks again gets the same address


@dataclass(frozen=True)
class Link:
    """An address that works until then."""

    url: str
    expires_at: datetime


@dataclass(frozen=True)
class Grant:
    """What a link was made for."""

    organization_id: UUID
    user_id: UUID  # who looked, or made the key
    key_id: str  # key_…; empty: a person in a session


def link_to(
    file: StoredFile, *, file_id: str, address: str, organization_id: UUID, until: datetime
) -> Link | None:
    """
    Return a link for whoever acts now, or None if that is no person and no key.

    It works for LINK_MINUTES, and never after `until`; `address` is that of our own view.
    """
    where = scope.current()
    if where.user_id is None:
        return None
    seconds = math.ceil(timezone.now().timestamp() / STEP) * STEP + settings.LINK_MINUTES * 60
    expires_at = min(datetime.fromtimestamp(seconds, UTC), until)
    if is_in_bucket():
        left = max(1, int((expires_at - timezone.now()).total_seconds()))
        return Link(bucket_address(file, seconds=left), expires_at)
    kind, _, key_id = context.current().actor.partition(":")
    grant = [
        organization_id.hex,
        where.user_id.hex,
        key_id if kind == "key" else "",
        int(expires_at.timestamp()),
    ]
    token = PREFIX + _signer(file_id).sign_object(grant)
    return Link(f"{address}?link={token}", expires_at)


def opened(token: str, *, file_id: str) -> Grant:
    """
    Return what a link was made for.

    :raises NotFound: if it is changed, past its time, or of another file: all look the same.
    """
    try:
        if not token.startswith(PREFIX):
            raise NotFound
        organization, user, key_id, expires = _signer(file_id).unsign_object(
            token.removeprefix(PREFIX)
        )
    except signing.BadSignature as error:
        raise NotFound from error
    if expires <= timezone.now().timestamp():
        raise NotFound
    return Grant(UUID(organization), UUID(user), key_id)


def _signer(file_id: str) -> signing.Signer:
    return signing.Signer(salt=f"coffer.links:{file_id}")

"""
Requests that may be repeated: one effect for each key, and the same answer for each asker.

The key is claimed in a short transaction of its own, so that a twin sees it at once.
Effect and answer are then written in one transaction, so that neither exists alone.
A refusal has no effect, so nothing is kept of it and the key may be tried again.
Rules: docs/guides/idempotency.md.
"""

import json
import math
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error, connection, transaction

from apps.core import ids
from apps.core.db import outside_transaction
from apps.core.errors import (
    IdempotencyInProgress,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
    IdempotencyKeySpent,
)
from apps.core.models import IdempotencyKey

LEASE_SECONDS = 60  # after that a claim counts as crashed and may be taken over
KEEP_HOURS = 72  # how long an answer is kept; the key itself stays
BARE_KEY = re.compile(r"[\x21\x23-\x7e][\x21-\x7e]{0,254}")
QUOTED_KEY = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"')  # RFC 9651: sf-string
LONGEST_KEY = 255


@dataclass(frozen=True)
class Answer:
    """
    What a request was answered: status, JSON body, and the headers that matter.

    Only what has an effect is answered so, and kept: a refusal is raised.

    :raises ValueError: if the status is that of a refusal or a failure.
    """

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    is_replayed: bool = False

    def __post_init__(self) -> None:
        """Refuse to keep what must be free to be tried again (400, 401, 403, 409, 429, 5xx)."""
        if not 200 <= self.status < 400:
            raise ValueError(f"A request that ends with {self.status} raises its refusal.")


def read_key(header: str | None) -> str:
    """
    Return the key of an Idempotency-Key header: quoted, or bare as many clients send it.

    Both forms are one key: `"abc"` repeats `abc`. Only a quoted key may hold spaces.

    :raises IdempotencyKeyRequired: if it is missing, too long or malformed.
    """
    text = (header or "").strip()
    if quoted := QUOTED_KEY.fullmatch(text):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    elif BARE_KEY.fullmatch(text):
        key = text
    else:
        raise IdempotencyKeyRequired
    if len(key) > LONGEST_KEY:
        raise IdempotencyKeyRequired
    return key


@outside_transaction
def run_once(
    *,
    scope: str,
    key: str,
    digest: bytes,
    effect: Callable[[], Answer],
    is_repeatable: bool = False,
) -> Answer:
    """
    Run `effect` in a transaction unless this key was used before; return the answer.

    An effect is repeatable if it finds by itself what it did before, as the ledger's do by
    their reference: it may then be asked for an answer that is kept no more.

    :raises IdempotencyKeyReused: if the key belongs to a request with another digest.
    :raises IdempotencyInProgress: if the first request is still running, or lost its
        claim to another while it ran.
    :raises IdempotencyKeySpent: if it was answered so long ago that only the key is kept.
    """
    claim = ids.new_id()
    if not _claim(scope, key, digest, claim):
        try:
            return _replay(scope, key, digest)
        except IdempotencyKeySpent:
            if not is_repeatable:
                raise
            with transaction.atomic():
                return replace(effect(), is_replayed=True)
    try:
        with transaction.atomic():
            answer = effect()
            _store(scope, key, claim, answer)
    except BaseException:
        # Should the connection be gone as well, the claim ends with its lease.
        with suppress(Error):
            _release(scope, key, claim)
        raise
    return answer


def _claim(scope: str, key: str, digest: bytes, claim: UUID) -> bool:
    """Take the key, if it is new or its claim's lease has run out without an answer."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO core_idempotencykey AS kept
                   (scope, key, digest, claim, locked_until, headers, created_at)
            VALUES (%s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s), '{}', now())
            ON CONFLICT (scope, key) DO UPDATE
               SET claim = EXCLUDED.claim, locked_until = EXCLUDED.locked_until,
                   created_at = EXCLUDED.created_at
             WHERE kept.status IS NULL
               AND kept.locked_until < clock_timestamp()
               AND kept.digest = EXCLUDED.digest
            RETURNING true
            """,
            [scope, key, digest, claim, LEASE_SECONDS],
        )
        return cursor.fetchone() is not None


def _replay(scope: str, key: str, digest: bytes) -> Answer:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT digest, status, headers::text, body,
                   extract(epoch FROM locked_until - clock_timestamp())
              FROM core_idempotencykey WHERE scope = %s AND key = %s
            """,
            [scope, key],
        )
        row = cursor.fetchone()
    if row is None:  # released between the two statements: the twin was refused
        raise IdempotencyInProgress(retry_after=1)
    kept_digest, status, headers, body, seconds = row
    if bytes(kept_digest) != digest:
        raise IdempotencyKeyReused
    if status is None:
        raise IdempotencyInProgress(retry_after=max(1, min(5, math.ceil(seconds))))
    if body is None:
        raise IdempotencyKeySpent(hours=KEEP_HOURS, location=json.loads(headers).get("Location"))
    return Answer(status, json.loads(bytes(body)), json.loads(headers), is_replayed=True)


def _store(scope: str, key: str, claim: UUID, answer: Answer) -> None:
    body = json.dumps(answer.body, cls=DjangoJSONEncoder).encode()
    kept = IdempotencyKey.objects.filter(scope=scope, key=key, claim=claim, status=None)
    if not kept.update(status=answer.status, headers=answer.headers, body=body):
        # The lease ran out and another request took over: this effect must not commit.
        raise IdempotencyInProgress(retry_after=1)


def _release(scope: str, key: str, claim: UUID) -> None:
    IdempotencyKey.objects.filter(scope=scope, key=key, claim=claim, status=None).delete()


def prune_answers() -> int:
    """
    Forget the bodies of answers older than KEEP_HOURS; return how many. Their keys stay.

    A claim of that age without an answer had no effect, since both are written together:
    it is forgotten altogether.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM core_idempotencykey
             WHERE status IS NULL AND locked_until < clock_timestamp()
               AND created_at < clock_timestamp() - make_interval(hours => %s)
            """,
            [KEEP_HOURS],
        )
        cursor.execute(
            """
            UPDATE core_idempotencykey SET body = NULL
             WHERE body IS NOT NULL
               AND created_at < clock_timestamp() - make_interval(hours => %s)
            """,
            [KEEP_HOURS],
        )
        return int(cursor.rowcount)

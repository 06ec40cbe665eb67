"""
Make, check and revoke the keys of workers outside.

They look like API keys and are kept like them (apps/rbac/services/tokens.py), but open no
organization: a worker works for all of them, and can do nothing but claim.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.clock import database_now
from apps.jobs.errors import OperationsRequired, UnknownOperation
from apps.jobs.models import ExternalOperation, WorkerKey
from apps.rbac.errors import ExpiryInThePast
from apps.rbac.services import tokens
from apps.rbac.services.keys import NOTE_USE_EVERY
from apps.tenants.models import User
from apps.tenants.services import audit

KIND = "work"  # cof_work_…


@transaction.atomic
def create_worker_key(
    *,
    name: str,
    operations: Collection[str],
    created_by: User,
    expires_at: datetime | None = None,
) -> tuple[WorkerKey, str]:
    """
    Make a key and return it with its secret, which is kept nowhere and cannot be shown again.

    :raises OperationsRequired: if it is for no operation.
    :raises UnknownOperation: if workers outside do not do one of them.
    :raises ExpiryInThePast: if the key would have ended already.
    """
    known = ExternalOperation.objects.order_by("code").values_list("code", flat=True)
    for operation in operations:
        if operation not in known:
            raise UnknownOperation(operation=operation, known=", ".join(known))
    if not operations:
        raise OperationsRequired
    if expires_at is not None and expires_at <= database_now():
        raise ExpiryInThePast
    token = tokens.token_of(KIND)
    key = WorkerKey.objects.create(
        name=name,
        operations=sorted(set(operations)),
        created_by=created_by,
        expires_at=expires_at,
        hint=tokens.hint_of(token),
        digest=tokens.digest_of(token),
    )
    audit.record(
        action="worker_key.create",
        object_id=key.public_id,
        after={"name": name, "hint": key.hint, "operations": key.operations},
    )
    return key, token


@transaction.atomic
def revoke_worker_key(*, key: WorkerKey) -> WorkerKey:
    """
    Stop a key at once and for ever; what its worker had is given to others when its lease ends.

    A key that was revoked before stays as it is.
    """
    locked = WorkerKey.objects.select_for_update(no_key=True).get(pk=key.pk)
    if locked.revoked_at is not None:
        return locked
    locked.revoked_at = database_now()
    locked.save(update_fields=["revoked_at"])
    audit.record(
        action="worker_key.revoke",
        object_id=locked.public_id,
        before={"name": locked.name, "hint": locked.hint},
    )
    return locked


def find_worker_key(token: str) -> WorkerKey | None:
    """
    Return the key with this secret if it works now: neither revoked, nor expired.

    One query by the digest, whatever the reason: an answer's time tells nothing.
    """
    if not tokens.is_well_formed(token, (KIND,)):
        return None
    works = Q(expires_at=None) | Q(expires_at__gt=Now())
    return WorkerKey.objects.filter(works, digest=tokens.digest_of(token), revoked_at=None).first()


def note_use(*, key: WorkerKey, at: datetime) -> None:
    """Keep when a key was used last, at most once a minute."""
    if key.last_used_at is not None and key.last_used_at > at - NOTE_USE_EVERY:
        return
    # Asked again in the statement: of many requests at once, one writes.
    due = Q(last_used_at=None) | Q(last_used_at__lte=at - NOTE_USE_EVERY)
    WorkerKey.objects.filter(due, pk=key.pk).update(last_used_at=at)

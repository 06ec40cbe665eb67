"""Which audit rows to show: the same filters for API, pages and files."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Func, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from apps.core import paging
from apps.core.personal import TOKEN
from apps.tenants.models import AuditLog, PersonalValue

CHUNK = 2000
AUDIT_COLUMNS = [
    "id",
    "sequence",
    "created_at",
    "actor",
    "acting_as",
    "action",
    "object",
    "result",
    "reason",
    "before",
    "after",
    "request_id",
    "ip_address",
    "user_agent",
    "entry_hash",
]


@dataclass(frozen=True, kw_only=True)
class AuditFilters:
    """What is asked for; what is None or empty is not asked for."""

    actor: str = ""  # user:usr_…, key:key_… or system:…; in whose place he acted as well
    action: str = ""  # resource.verb, or a resource alone
    object_id: str = ""
    result: str = ""
    created_from: datetime | None = None
    created_before: datetime | None = None  # exclusive
    text: str = ""  # part of reason, before or after; or all of a request id or IP address


@dataclass(frozen=True)
class Change:
    """One thing that a deed changed; None where it was or is not there."""

    name: str
    before: Any
    after: Any


def matching_audit(rows: QuerySet[AuditLog], filters: AuditFilters) -> QuerySet[AuditLog]:
    """Return those of the rows that fit all filters."""
    if filters.actor:
        rows = rows.filter(Q(actor=filters.actor) | Q(acting_as=filters.actor))
    if filters.action:
        rows = rows.filter(Q(action=filters.action) | Q(action__startswith=f"{filters.action}."))
    if filters.object_id:
        rows = rows.filter(object_id=filters.object_id)
    if filters.result:
        rows = rows.filter(result=filters.result)
    if filters.created_from is not None:
        rows = rows.filter(created_at__gte=filters.created_from)
    if filters.created_before is not None:
        rows = rows.filter(created_at__lt=filters.created_before)
    text = filters.text.strip()
    return _with_text(rows, text) if text else rows


def in_chunks(rows: QuerySet[AuditLog]) -> Iterator[AuditLog]:
    """
    Yield audit rows, newest first.

    By keyset, a chunk at a time, so that no connection is held while somebody reads.
    """
    rows = rows.order_by("-created_at", "-id")
    chunk = list(rows[:CHUNK])
    while chunk:
        yield from chunk
        if len(chunk) < CHUNK:
            return
        chunk = list(paging.after(rows, chunk[-1])[:CHUNK])


def audit_rows(rows: QuerySet[AuditLog]) -> Iterator[tuple[object, ...]]:
    """Yield a row of a file for each audit row, newest first, in the order of AUDIT_COLUMNS."""
    for row in in_chunks(rows.select_related("seal")):
        seal = getattr(row, "seal", None)
        yield (
            row.public_id,
            seal.sequence if seal else None,
            row.created_at.isoformat(),
            row.actor,
            row.acting_as,
            row.action,
            row.object_id,
            row.result,
            row.reason,
            _json(row.before),
            _json(row.after),
            row.request_id,
            row.ip_address,
            row.user_agent,
            bytes(seal.entry_hash).hex() if seal else None,
        )


def changes_of(row: AuditLog) -> list[Change]:
    """Return what the deed changed, by name."""
    was, is_now = (value if isinstance(value, dict) else {} for value in (row.before, row.after))
    return [
        Change(name, was.get(name), is_now.get(name))
        for name in dict.fromkeys([*was, *is_now])
        if was.get(name) != is_now.get(name)
    ]


def _with_text(rows: QuerySet[AuditLog], text: str) -> QuerySet[AuditLog]:
    rows = rows.annotate(
        before_text=_without_tokens("before"),
        after_text=_without_tokens("after"),
        reason_text=_without_tokens("reason"),
        ip_text=Cast("ip_address", TextField()),
    )
    exact = Q(request_id=text) | Q(object_id=text)
    exact |= Q(ip_text=text) | Q(ip_text__startswith=f"{text}/")  # with the length of its net
    part = Q(reason_text__icontains=text) | Q(action__icontains=text)
    personal = PersonalValue.objects.filter(entry=OuterRef("pk"), value__icontains=text)
    changed = Q(before_text__icontains=text) | Q(after_text__icontains=text)
    return rows.filter(Exists(personal) | exact | part | changed)


def _without_tokens(field: str) -> Func:
    """Return a column as text; the digits of a token are nothing to be searched."""
    pattern = Value(TOKEN.pattern)
    return Func(
        *(Cast(field, TextField()), pattern, Value(""), Value("g")),
        function="regexp_replace",
        output_field=TextField(),
    )


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

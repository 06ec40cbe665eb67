"""
Walk the chains of audit rows, and recompute in Python what the database sealed.

The hash is computed here and not by `tenants_audit_hash`, so that a database whose
functions were changed cannot vouch for its own rows.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from apps.core.chains import Fault, WalkedChain
from apps.core.errors import NotFound
from apps.core.ids import encode
from apps.tenants.models import AuditChain, AuditLog, Organization

NO_HASH = bytes(32)
ROWS_AT_ONCE = 2000
# One statement sees chains, seals and rows as of one moment.
WALK = """
    SELECT known.id, chain.sequence, chain.head_hash, seal.sequence, seal.entry_hash, entry.id,
           ARRAY[entry.id::text, entry.organization_id::text,
                 (extract(epoch FROM entry.created_at) * 1000000)::bigint::text,
                 entry.actor, entry.acting_as, entry.action, entry.object_id,
                 entry.before::text, entry.after::text, entry.result, entry.reason,
                 entry.request_id, host(entry.ip_address), entry.user_agent],
           entry.organization_id
      FROM (SELECT id FROM tenants_auditchain WHERE %(chain)s::uuid IS NULL OR id = %(chain)s
             UNION
            SELECT chain_id FROM tenants_auditseal
             WHERE %(chain)s::uuid IS NULL OR chain_id = %(chain)s) known
      LEFT JOIN tenants_auditchain chain ON chain.id = known.id
      LEFT JOIN tenants_auditseal seal ON seal.chain_id = known.id
      LEFT JOIN tenants_auditlog entry ON entry.id = seal.entry_id
     ORDER BY known.id, seal.sequence
"""
# A row is sealed when its transaction commits, so the walker's own are not yet: left out are
# rows that are as young as his transaction.
UNSEALED = """
    SELECT DISTINCT ON (chain.id) chain.id, entry.id
      FROM tenants_auditlog entry
     CROSS JOIN LATERAL (SELECT coalesce(entry.organization_id, %(none)s::uuid) AS id) chain
     WHERE NOT EXISTS (SELECT FROM tenants_auditseal seal WHERE seal.entry_id = entry.id)
       AND (%(chain)s::uuid IS NULL OR chain.id = %(chain)s)
       AND (pg_current_xact_id_if_assigned() IS NULL
            OR age(entry.xmin) > age(pg_current_xact_id_if_assigned()::xid))
     ORDER BY chain.id, entry.created_at
"""


class Link(NamedTuple):
    """A seal, and the row that it belongs to as text; None where the row is gone."""

    sequence: int
    entry_hash: bytes
    entry_id: UUID | None
    parts: list[str | None]
    organization_id: UUID | None


@dataclass(slots=True)
class Chain:
    """One chain, as far as it was walked."""

    id: UUID
    head: tuple[int, bytes] | None  # None where the chain's own row is gone
    sequence: int = 0
    seal: bytes = NO_HASH
    last_id: UUID | None = None
    rows: int = 0
    fault: Fault | None = None

    def follow(self, link: Link) -> None:
        """Go on to the next row; of a broken chain, only count the rest."""
        self.rows += 1
        if self.fault:
            return
        if problem := self.problem_of(link):
            self.fault = Fault(link.sequence, name_of_row(link.entry_id), problem)
            return
        self.sequence, self.seal, self.last_id = link.sequence, link.entry_hash, link.entry_id

    def problem_of(self, link: Link) -> str:
        """Return what is wrong with the row after those that were walked, or nothing."""
        if link.sequence != self.sequence + 1:
            return f"number: {self.sequence + 1} was due, so a row is missing or stands twice"
        if link.entry_id is None:
            return "row: its seal is there, and the row is gone"
        if (link.organization_id or AuditChain.NO_ORGANIZATION) != self.id:
            return "organization: the row belongs to another one than its chain"
        if link.entry_hash != audit_hash(self.seal, link.sequence, link.parts):
            return "hash: it does not fit the row, or not the one before it"
        return ""

    def end(self) -> WalkedChain:
        """Compare where the walk ended with where the chain's own row says that it ends."""
        if self.fault is None and self.head != (self.sequence, self.seal):
            problem = "head: the chain does not stand where its last row left it"
            self.fault = Fault(self.sequence, name_of_row(self.last_id), problem)
        return WalkedChain(name_of_chain(self.id), self.rows, self.fault, kind="audit")


def audit_hash(previous: bytes, sequence: int, parts: list[str | None]) -> bytes:
    """Return the SHA-256 of the previous hash, the place, and every column of the row as text."""
    written = ("-" if part is None else f"{len(part)}:{part}" for part in (str(sequence), *parts))
    return hashlib.sha256("|".join((previous.hex(), *written)).encode()).digest()


def name_of_chain(chain_id: UUID) -> str:
    """Return the organization whose chain it is, or that it is the one of none."""
    if chain_id == AuditChain.NO_ORGANIZATION:
        return "audit:none"
    return f"audit:{encode(Organization.PREFIX, chain_id)}"


def name_of_row(entry_id: UUID | None) -> str:
    """Return a row's id as people see it; empty where there is none."""
    return encode(AuditLog.PREFIX, entry_id) if entry_id else ""


def walk_audit_chains(*, wallet: str = "", organization: str = "") -> Iterator[WalkedChain]:
    """
    Walk every audit chain, or that of an organization; none where a wallet is named.

    Rows without a seal make a chain of their own in what is returned: nobody who writes
    through the triggers can leave one.

    :raises NotFound: if the organization does not exist.
    """
    chain_id: UUID | None = None
    if organization:
        owner = Organization.objects.filter(slug=organization).first()
        if owner is None:
            raise NotFound
        chain_id = owner.pk
    if not wallet:
        yield from _walk(chain_id)
        yield from _unsealed(chain_id)


def _walk(chain_id: UUID | None) -> Iterator[WalkedChain]:
    chain: Chain | None = None
    # Outside a transaction, the server would keep the whole result for the cursor.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(WALK, {"chain": chain_id})
        for rows in iter(partial(cursor.fetchmany, ROWS_AT_ONCE), []):
            for row_chain, at, head, *link in rows:
                if chain is None or chain.id != row_chain:
                    if chain:
                        yield chain.end()
                    chain = Chain(row_chain, None if head is None else (at, bytes(head)))
                if link[0] is not None:
                    chain.follow(Link(link[0], bytes(link[1]), *link[2:]))
    if chain:
        yield chain.end()


def _unsealed(chain_id: UUID | None) -> Iterator[WalkedChain]:
    with connection.cursor() as cursor:
        cursor.execute(UNSEALED, {"chain": chain_id, "none": AuditChain.NO_ORGANIZATION})
        for row_chain, entry_id in cursor.fetchall():
            fault = Fault(0, name_of_row(entry_id), "seal: the row was written past the triggers")
            yield WalkedChain(name_of_chain(row_chain), 0, fault, kind="audit")

"""What must always be true of the audit log."""

from apps.core.invariants import Invariant, register

NOTHING = "decode(repeat('00', 32), 'hex')"

register(
    Invariant(
        "A01",
        "Every audit row has its seal, but for those that are being written.",
        """
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT entry.id, seal.entry_id IS NULL
                       AND (pg_current_xact_id_if_assigned() IS NULL
                            OR age(entry.xmin) > age(pg_current_xact_id_if_assigned()::xid))
                       AS broken
                  FROM tenants_auditlog entry
                  LEFT JOIN tenants_auditseal seal ON seal.entry_id = entry.id) each_row
        """,
    ),
    Invariant(
        "A02",
        "Every seal goes on from the one before, and fits its row.",
        f"""
        SELECT count(*), count(*) FILTER (WHERE broken),
               min(entry_id::text) FILTER (WHERE broken)
          FROM (SELECT seal.entry_id,
                       (previous.sequence IS NULL AND seal.sequence <> 1)
                       OR seal.chain_id <> tenants_audit_chain_of(entry.organization_id)
                       OR seal.entry_hash <> tenants_audit_hash(
                              coalesce(previous.entry_hash, {NOTHING}), seal.sequence, entry)
                       AS broken
                  FROM tenants_auditseal seal
                  JOIN tenants_auditlog entry ON entry.id = seal.entry_id
                  LEFT JOIN tenants_auditseal previous
                    ON previous.chain_id = seal.chain_id
                   AND previous.sequence = seal.sequence - 1) each_seal
        """,  # noqa: S608  a text of ours
    ),
    Invariant(
        "A03",
        "Every audit chain stands where its last seal left it.",
        f"""
        SELECT count(*), count(*) FILTER (WHERE broken), min(id::text) FILTER (WHERE broken)
          FROM (SELECT chain.id,
                       (chain.sequence, chain.head_hash) IS DISTINCT FROM
                       (coalesce(last.sequence, 0), coalesce(last.entry_hash, {NOTHING}))
                       AS broken
                  FROM tenants_auditchain chain
                  LEFT JOIN LATERAL (
                       SELECT seal.sequence, seal.entry_hash FROM tenants_auditseal seal
                        WHERE seal.chain_id = chain.id
                        ORDER BY seal.sequence DESC LIMIT 1) last ON true) each_chain
        """,  # noqa: S608  a text of ours
    ),
)

register(
    Invariant(
        "P01",
        "What a token of the audit log stands for is what it was made of.",
        """
        SELECT count(*), count(*) FILTER (WHERE is_wrong), min(token) FILTER (WHERE is_wrong)
          FROM (SELECT token, token <> 'personal:' ||
                       encode(sha256(salt || convert_to(value, 'UTF8')), 'hex') AS is_wrong
                  FROM tenants_personalvalue) each_value
        """,
    ),
)

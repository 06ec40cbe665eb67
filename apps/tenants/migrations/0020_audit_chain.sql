-- The chain of audit rows: one for each organization, and one for rows without any.
--
-- A row is sealed when its transaction commits, by a deferred trigger. A lock taken when the
-- row is written would be held through whatever the deed still has to lock, and two deeds of
-- one organization could wait for each other in a circle; here it is the last lock of all,
-- and several chains are locked in the order of their ids.

-- The hash of one audit row: the same text as apps/tenants/selectors/chains.py. Each part
-- has its length before it, and an absent one is a minus, so that no two rows look alike.
CREATE FUNCTION tenants_audit_hash(previous bytea, sequence bigint, entry tenants_auditlog)
RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(encode(previous, 'hex') || '|' || (
        SELECT string_agg(coalesce(length(part) || ':' || part, '-'), '|' ORDER BY place)
          FROM unnest(ARRAY[
                   sequence::text, entry.id::text, entry.organization_id::text,
                   (extract(epoch FROM entry.created_at) * 1000000)::bigint::text,
                   entry.actor, entry.acting_as, entry.action, entry.object_id,
                   entry.before::text, entry.after::text, entry.result, entry.reason,
                   entry.request_id, host(entry.ip_address), entry.user_agent
               ]) WITH ORDINALITY AS parts (part, place)), 'UTF8'))
$$;

CREATE FUNCTION tenants_audit_chain_of(organization_id uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(organization_id, '00000000-0000-0000-0000-000000000000'::uuid)
$$;

-- Notes, for the length of the transaction, which chains it will have to lock.
CREATE FUNCTION tenants_note_audit_chains() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('coffer.audit_chains', (
        SELECT string_agg(noted.chain, ',')
          FROM (SELECT unnest(string_to_array(
                           nullif(current_setting('coffer.audit_chains', true), ''), ',')) AS chain
                 UNION
                SELECT tenants_audit_chain_of(organization_id)::text FROM added) noted), true);
    RETURN NULL;
END
$$;

CREATE FUNCTION tenants_lock_audit_chains(own uuid) RETURNS tenants_auditchain
LANGUAGE plpgsql AS $$
DECLARE
    chains uuid[] := string_to_array(
        nullif(current_setting('coffer.audit_chains', true), ''), ',')::uuid[] || own;
    head tenants_auditchain;
BEGIN
    -- What the foreign keys of later rows would ask for, before and not after the chains.
    PERFORM 1 FROM tenants_organization WHERE id = ANY(chains) ORDER BY id FOR KEY SHARE;
    INSERT INTO tenants_auditchain (id, sequence, head_hash)
    SELECT DISTINCT chain, 0, decode(repeat('00', 32), 'hex') FROM unnest(chains) AS chain
     WHERE NOT EXISTS (SELECT FROM tenants_auditchain known WHERE known.id = chain)
     ORDER BY chain
        ON CONFLICT DO NOTHING;
    PERFORM 1 FROM tenants_auditchain WHERE id = ANY(chains) ORDER BY id FOR NO KEY UPDATE;
    PERFORM set_config('coffer.audit_chains', '', true);
    SELECT * INTO head FROM tenants_auditchain WHERE id = own;
    RETURN head;
END
$$;

CREATE FUNCTION tenants_seal_audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head tenants_auditchain := tenants_lock_audit_chains(
        tenants_audit_chain_of(NEW.organization_id));
    seal bytea := tenants_audit_hash(head.head_hash, head.sequence + 1, NEW);
BEGIN
    INSERT INTO tenants_auditseal (entry_id, chain_id, sequence, entry_hash)
    VALUES (NEW.id, head.id, head.sequence + 1, seal);
    UPDATE tenants_auditchain SET sequence = head.sequence + 1, head_hash = seal
     WHERE id = head.id;
    RETURN NULL;
END
$$;

-- Whoever writes a seal: it goes on from the one before, and the chain stands where it ends.
CREATE FUNCTION tenants_verify_audit_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM tenants_auditlog entry
          LEFT JOIN tenants_auditseal previous
            ON previous.chain_id = NEW.chain_id AND previous.sequence = NEW.sequence - 1
         WHERE entry.id = NEW.entry_id
           AND NEW.chain_id = tenants_audit_chain_of(entry.organization_id)
           AND (previous.sequence IS NOT NULL OR NEW.sequence = 1)
           AND NEW.entry_hash = tenants_audit_hash(
                   coalesce(previous.entry_hash, decode(repeat('00', 32), 'hex')),
                   NEW.sequence, entry))
    THEN
        RAISE EXCEPTION 'Seal % does not continue the audit chain %.', NEW.sequence, NEW.chain_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION tenants_verify_audit_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM tenants_auditchain chain
          LEFT JOIN LATERAL (
               SELECT seal.sequence, seal.entry_hash FROM tenants_auditseal seal
                WHERE seal.chain_id = chain.id ORDER BY seal.sequence DESC LIMIT 1) last ON true
         WHERE chain.id = NEW.id
           AND (chain.sequence, chain.head_hash) IS DISTINCT FROM
               (coalesce(last.sequence, 0),
                coalesce(last.entry_hash, decode(repeat('00', 32), 'hex'))))
    THEN
        RAISE EXCEPTION 'The audit chain % does not stand where its last seal left it.', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

-- Rows that were written before there were chains.
DO $$
DECLARE
    entry tenants_auditlog;
    head tenants_auditchain;
    seal bytea;
BEGIN
    FOR entry IN SELECT * FROM tenants_auditlog ORDER BY created_at, id LOOP
        head := tenants_lock_audit_chains(tenants_audit_chain_of(entry.organization_id));
        seal := tenants_audit_hash(head.head_hash, head.sequence + 1, entry);
        UPDATE tenants_auditchain SET sequence = head.sequence + 1, head_hash = seal
         WHERE id = head.id;
        INSERT INTO tenants_auditseal (entry_id, chain_id, sequence, entry_hash)
        VALUES (entry.id, head.id, head.sequence + 1, seal);
    END LOOP;
    -- Foreign keys are checked now: a table with checks to come takes no new trigger.
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
END
$$;

CREATE TRIGGER tenants_audit_rows_name_their_chains
    AFTER INSERT ON tenants_auditlog REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tenants_note_audit_chains();
ALTER TABLE tenants_auditlog ENABLE ALWAYS TRIGGER tenants_audit_rows_name_their_chains;

CREATE CONSTRAINT TRIGGER tenants_audit_rows_are_sealed
    AFTER INSERT ON tenants_auditlog DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION tenants_seal_audit_row();
ALTER TABLE tenants_auditlog ENABLE ALWAYS TRIGGER tenants_audit_rows_are_sealed;

CREATE TRIGGER tenants_audit_seals_continue_their_chain
    AFTER INSERT ON tenants_auditseal
    FOR EACH ROW EXECUTE FUNCTION tenants_verify_audit_seal();
ALTER TABLE tenants_auditseal ENABLE ALWAYS TRIGGER tenants_audit_seals_continue_their_chain;

CREATE TRIGGER tenants_audit_seals_stay
    BEFORE UPDATE OR DELETE OR TRUNCATE ON tenants_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE tenants_auditseal ENABLE ALWAYS TRIGGER tenants_audit_seals_stay;

CREATE CONSTRAINT TRIGGER tenants_audit_chains_stand_where_they_end
    AFTER INSERT OR UPDATE ON tenants_auditchain DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION tenants_verify_audit_head();
ALTER TABLE tenants_auditchain ENABLE ALWAYS TRIGGER tenants_audit_chains_stand_where_they_end;

CREATE TRIGGER tenants_audit_chains_stay
    BEFORE DELETE OR TRUNCATE ON tenants_auditchain
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE tenants_auditchain ENABLE ALWAYS TRIGGER tenants_audit_chains_stay;

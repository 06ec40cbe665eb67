-- What must never be, refused by the database itself. Triggers are ENABLE ALWAYS, so that
-- session_replication_role does not silence them, and raise check_violation (23514).

-- The hash of one transaction: the same text as apps/credits/ledger/chain.py.
CREATE FUNCTION credits_entry_hash(
    previous bytea, wallet_id uuid, sequence bigint, lot_id uuid, transaction_type text,
    amount bigint, balance_after bigint, reverses_id uuid, created_at timestamptz, reference text
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(concat_ws('|',
        encode(previous, 'hex'), wallet_id, sequence, lot_id, transaction_type, amount,
        balance_after, coalesce(reverses_id::text, ''),
        (extract(epoch FROM created_at) * 1000000)::bigint, reference), 'UTF8'))
$$;

CREATE FUNCTION credits_refuse(problem text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem USING ERRCODE = 'check_violation';
    END IF;
END
$$;

-- Once for each INSERT, however many transactions it appends: every wallet's chain goes on
-- without a gap, ends where the wallet's row stands, every lot's movements add up to what
-- remains of it, nothing is spent before or after a lot's life, and no more is given back
-- than was taken.
CREATE FUNCTION credits_verify_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    nothing CONSTANT bytea := decode(repeat('00', 32), 'hex');
BEGIN
    PERFORM credits_refuse((
        SELECT format('Transaction %s of wallet %s does not continue the chain.',
                      entry.sequence, entry.wallet_id)
          FROM added entry
          LEFT JOIN credits_credittransaction previous
            ON previous.wallet_id = entry.wallet_id AND previous.sequence = entry.sequence - 1
         WHERE (previous.id IS NULL AND entry.sequence <> 1)
            OR entry.balance_after <> coalesce(previous.balance_after, 0) + entry.amount
            OR entry.created_at < previous.created_at
            OR entry.entry_hash <> credits_entry_hash(
                   coalesce(previous.entry_hash, nothing), entry.wallet_id, entry.sequence,
                   entry.lot_id, entry.transaction_type, entry.amount, entry.balance_after,
                   entry.reverses_id, entry.created_at, entry.reference)
         LIMIT 1));
    PERFORM credits_refuse((
        SELECT format('Wallet %s does not stand where its last transaction (%s) left it.',
                      wallet.id, last.sequence)
          FROM (SELECT DISTINCT ON (wallet_id) * FROM added
                 ORDER BY wallet_id, sequence DESC) last
          JOIN credits_wallet wallet ON wallet.id = last.wallet_id
         WHERE (wallet.sequence, wallet.balance, wallet.head_hash, wallet.head_at,
                wallet.organization_id)
               IS DISTINCT FROM
               (last.sequence, last.balance_after, last.entry_hash, last.created_at,
                last.organization_id)
         LIMIT 1));
    PERFORM credits_refuse((
        SELECT format('Transaction %s of wallet %s does not fit its lot %s.',
                      entry.sequence, entry.wallet_id, entry.lot_id)
          FROM added entry
          JOIN credits_lot lot ON lot.id = entry.lot_id
          LEFT JOIN LATERAL (
               SELECT moved.lot_balance_after FROM credits_credittransaction moved
                WHERE moved.lot_id = entry.lot_id AND moved.sequence < entry.sequence
                ORDER BY moved.sequence DESC LIMIT 1) previous ON true
         WHERE (lot.wallet_id, lot.organization_id) <> (entry.wallet_id, entry.organization_id)
            OR entry.lot_balance_after <> coalesce(previous.lot_balance_after, 0) + entry.amount
            OR (previous.lot_balance_after IS NULL AND entry.amount <> lot.granted)
            OR (entry.transaction_type IN ('consumed', 'held', 'transferred_out')
                AND (entry.created_at < lot.effective_at OR entry.created_at >= lot.expires_at))
            OR (entry.transaction_type = 'expired'
                AND (lot.expires_at IS NULL OR entry.created_at < lot.expires_at))
         LIMIT 1));
    PERFORM credits_refuse((
        SELECT format('Lot %s does not hold what its last transaction left in it.', lot.id)
          FROM (SELECT DISTINCT ON (lot_id) * FROM added ORDER BY lot_id, sequence DESC) last
          JOIN credits_lot lot ON lot.id = last.lot_id
         WHERE lot.remaining <> last.lot_balance_after
         LIMIT 1));
    PERFORM credits_refuse((
        SELECT format('More is given back than transaction %s took.', charge.id)
          FROM (SELECT DISTINCT reverses_id FROM added WHERE reverses_id IS NOT NULL) given
          JOIN credits_credittransaction charge ON charge.id = given.reverses_id
          JOIN credits_credittransaction back ON back.reverses_id = charge.id
         GROUP BY charge.id
        HAVING sum(back.amount) > -charge.amount
            OR bool_or(back.wallet_id <> charge.wallet_id)
         LIMIT 1));
    RETURN NULL;
END
$$;

CREATE TRIGGER credits_entries_continue_their_chains
    AFTER INSERT ON credits_credittransaction REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION credits_verify_entries();
ALTER TABLE credits_credittransaction ENABLE ALWAYS TRIGGER credits_entries_continue_their_chains;

CREATE TRIGGER credits_transactions_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON credits_credittransaction
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_credittransaction ENABLE ALWAYS TRIGGER credits_transactions_are_append_only;

-- A lot is never removed, and only what remains of it (or a freeze) may change.
CREATE TRIGGER credits_lots_are_kept
    BEFORE DELETE OR TRUNCATE ON credits_lot
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_lot ENABLE ALWAYS TRIGGER credits_lots_are_kept;

CREATE TRIGGER credits_terms_of_a_lot_are_fixed
    BEFORE UPDATE ON credits_lot FOR EACH ROW
    WHEN ((OLD.id, OLD.organization_id, OLD.wallet_id, OLD.kind, OLD.granted, OLD.priority,
           OLD.effective_at, OLD.expires_at, OLD.unit_cost, OLD.currency, OLD.features,
           OLD.origin, OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.organization_id, NEW.wallet_id, NEW.kind, NEW.granted, NEW.priority,
           NEW.effective_at, NEW.expires_at, NEW.unit_cost, NEW.currency, NEW.features,
           NEW.origin, NEW.created_at))
    EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_lot ENABLE ALWAYS TRIGGER credits_terms_of_a_lot_are_fixed;

-- Balances change only together with a transaction. Asked at commit, because wallets and
-- lots are written before the transactions that explain them.
CREATE FUNCTION credits_verify_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM credits_refuse((
        SELECT format('The balance of wallet %s has no transaction that explains it.', wallet.id)
          FROM credits_wallet wallet
          LEFT JOIN LATERAL (
               SELECT sequence, balance_after, entry_hash FROM credits_credittransaction
                WHERE wallet_id = wallet.id ORDER BY sequence DESC LIMIT 1) last ON true
         WHERE wallet.id = NEW.id
           AND (wallet.sequence, wallet.balance, wallet.head_hash)
               IS DISTINCT FROM (coalesce(last.sequence, 0), coalesce(last.balance_after, 0),
                                 coalesce(last.entry_hash, decode(repeat('00', 32), 'hex')))));
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER credits_balance_is_explained
    AFTER INSERT OR UPDATE OF balance, sequence, head_hash ON credits_wallet
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION credits_verify_wallet();
ALTER TABLE credits_wallet ENABLE ALWAYS TRIGGER credits_balance_is_explained;

CREATE FUNCTION credits_verify_lot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM credits_refuse((
        SELECT format('What remains of lot %s has no transaction that explains it.', lot.id)
          FROM credits_lot lot
          LEFT JOIN LATERAL (
               SELECT lot_balance_after FROM credits_credittransaction
                WHERE lot_id = lot.id ORDER BY sequence DESC LIMIT 1) last ON true
         WHERE lot.id = NEW.id AND lot.remaining IS DISTINCT FROM last.lot_balance_after));
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER credits_remaining_is_explained
    AFTER INSERT OR UPDATE OF remaining ON credits_lot
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION credits_verify_lot();
ALTER TABLE credits_lot ENABLE ALWAYS TRIGGER credits_remaining_is_explained;

-- A lot that returns is never written off: what is left of it, alive or dead, frozen or not,
-- goes back to the very lot that it came from. The same function as in 0020_clawbacks.sql but
-- for this.
CREATE OR REPLACE FUNCTION credits_verify_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    nothing CONSTANT bytea := decode(repeat('00', 32), 'hex');
BEGIN
    PERFORM credits_refuse((
        SELECT format('Transaction %s of wallet %s does not continue the chain.',
                      entry.sequence, entry.wallet_id)
          FROM added entry
          LEFT JOIN LATERAL (
               SELECT * FROM credits_credittransaction earlier
                WHERE earlier.wallet_id = entry.wallet_id AND earlier.sequence < entry.sequence
                ORDER BY earlier.sequence DESC LIMIT 1) previous ON true
         WHERE entry.sequence <> coalesce(previous.sequence, 0) + 1
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
            OR (entry.amount < 0
                AND entry.transaction_type IN ('consumed', 'held', 'transferred_out', 'repaid')
                AND (entry.created_at < lot.effective_at OR entry.created_at >= lot.expires_at)
                AND NOT (entry.transaction_type = 'transferred_out'
                         AND lot.returns_to_id IS NOT NULL))
            OR (entry.amount < 0 AND lot.frozen_at < entry.created_at
                AND entry.transaction_type NOT IN ('expired', 'voided', 'clawed_back')
                AND NOT (entry.transaction_type = 'transferred_out'
                         AND lot.returns_to_id IS NOT NULL))
            OR (entry.transaction_type = 'expired'
                AND (lot.expires_at IS NULL OR entry.created_at < lot.expires_at
                     OR lot.returns_to_id IS NOT NULL))
         LIMIT 1));
    PERFORM credits_refuse((
        SELECT format('Lot %s does not hold what its last transaction left in it.', lot.id)
          FROM (SELECT DISTINCT ON (lot_id) * FROM added ORDER BY lot_id, sequence DESC) last
          JOIN credits_lot lot ON lot.id = last.lot_id
         WHERE lot.remaining <> last.lot_balance_after
         LIMIT 1));
    PERFORM credits_refuse(credits_problem_of_what_is_given_back(given.reverses_id))
       FROM (SELECT DISTINCT reverses_id FROM added WHERE reverses_id IS NOT NULL) given;
    PERFORM credits_refuse(credits_problem_of_hold(moved.wallet_id, moved.reference))
       FROM (SELECT DISTINCT wallet_id, reference FROM added
              WHERE transaction_type IN ('held', 'released')) moved;
    PERFORM credits_refuse((
        SELECT format('What left lots that return to lot %s has not arrived there.', went.home)
          FROM (SELECT entry.reference, sum(entry.amount) AS missing,
                       coalesce(lot.returns_to_id, lot.id) AS home,
                       bool_or(entry.transaction_type = 'transferred_out') AS is_recalled
                  FROM added entry
                  JOIN credits_lot lot ON lot.id = entry.lot_id
                 WHERE (entry.transaction_type = 'transferred_out'
                        AND lot.returns_to_id IS NOT NULL)
                    OR (entry.transaction_type = 'transferred_in' AND lot.returns_to_id IS NULL)
                 GROUP BY entry.reference, home) went
         WHERE went.is_recalled AND went.missing <> 0
         LIMIT 1));
    RETURN NULL;
END
$$;

ALTER FUNCTION credits_verify_entries()
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off;

-- Where a lot returns to never changes either.
DROP TRIGGER credits_terms_of_a_lot_are_fixed ON credits_lot;

CREATE TRIGGER credits_terms_of_a_lot_are_fixed
    BEFORE UPDATE ON credits_lot FOR EACH ROW
    WHEN ((OLD.id, OLD.organization_id, OLD.wallet_id, OLD.kind, OLD.granted, OLD.priority,
           OLD.effective_at, OLD.expires_at, OLD.unit_cost, OLD.currency, OLD.features, OLD.origin,
           OLD.heir_of_id, OLD.returns_to_id, OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.organization_id, NEW.wallet_id, NEW.kind, NEW.granted, NEW.priority,
           NEW.effective_at, NEW.expires_at, NEW.unit_cost, NEW.currency, NEW.features, NEW.origin,
           NEW.heir_of_id, NEW.returns_to_id, NEW.created_at))
    EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_lot ENABLE ALWAYS TRIGGER credits_terms_of_a_lot_are_fixed;

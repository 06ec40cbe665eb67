DROP TRIGGER credits_remaining_is_explained ON credits_lot;
DROP TRIGGER credits_balance_is_explained ON credits_wallet;
DROP TRIGGER credits_terms_of_a_lot_are_fixed ON credits_lot;
DROP TRIGGER credits_lots_are_kept ON credits_lot;
DROP TRIGGER credits_transactions_are_append_only ON credits_credittransaction;
DROP TRIGGER credits_entries_continue_their_chains ON credits_credittransaction;
DROP FUNCTION credits_verify_lot();
DROP FUNCTION credits_verify_wallet();
DROP FUNCTION credits_verify_entries();
DROP FUNCTION credits_refuse(text);
DROP FUNCTION credits_entry_hash(
    bytea, uuid, bigint, uuid, text, bigint, bigint, uuid, timestamptz, text);

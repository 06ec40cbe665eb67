-- Closed months stay closed: nothing is written into them, and what was summed never changes.

-- What was left of each lot just before a moment, as its transactions say ('infinity': now).
-- Reports and invariants both ask here, so that they cannot mean different things.
CREATE FUNCTION credits_outstanding(as_of timestamptz)
RETURNS TABLE (wallet_id uuid, lot_id uuid, kind text, expires_at timestamptz,
               unit_cost numeric, currency text, remaining bigint)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT lot.wallet_id, lot.id, lot.kind, lot.expires_at, lot.unit_cost, lot.currency,
           moved.remaining
      FROM (SELECT entry.lot_id, sum(entry.amount)::bigint AS remaining
              FROM credits_credittransaction entry
             WHERE entry.created_at < as_of
             GROUP BY entry.lot_id
            HAVING sum(entry.amount) <> 0) moved
      JOIN credits_lot lot ON lot.id = moved.lot_id
$$;

-- Months follow each other, so what ends before the last one's end is closed: one step in an
-- index for each INSERT. The ledger takes its time after the lock, so only a clock that was
-- set back, or a forger, is ever refused here.
CREATE FUNCTION credits_verify_open_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM credits_refuse((
        SELECT format('%s is closed: nothing is written into it any more.',
                      to_char(last.month, 'YYYY-MM'))
          FROM (SELECT month, ends_at FROM credits_closedperiod
                 ORDER BY ends_at DESC LIMIT 1) last
         WHERE last.ends_at > (SELECT min(created_at) FROM added)));
    RETURN NULL;
END
$$;

CREATE TRIGGER credits_closed_periods_take_nothing
    AFTER INSERT ON credits_credittransaction REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION credits_verify_open_period();
ALTER TABLE credits_credittransaction ENABLE ALWAYS TRIGGER credits_closed_periods_take_nothing;

CREATE FUNCTION credits_verify_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM credits_refuse((
        SELECT format('%s is not the month after the last one that is closed.', NEW.month)
          FROM (SELECT max(ends_at) AS ends_at FROM credits_closedperiod
                 WHERE id <> NEW.id) previous
         WHERE NEW.starts_at <> coalesce(previous.ends_at, NEW.starts_at)
            OR NEW.starts_at <> NEW.month::timestamp AT TIME ZONE 'UTC'
            OR NEW.ends_at <> (NEW.month + interval '1 month') AT TIME ZONE 'UTC'
            OR extract(day FROM NEW.month) <> 1));
    RETURN NULL;
END
$$;

CREATE TRIGGER credits_months_are_closed_in_order
    AFTER INSERT ON credits_closedperiod
    FOR EACH ROW EXECUTE FUNCTION credits_verify_period();
ALTER TABLE credits_closedperiod ENABLE ALWAYS TRIGGER credits_months_are_closed_in_order;

-- Once a month's totals stand, no wallet is added to it, and they are those of its wallets.
CREATE FUNCTION credits_verify_closed_wallets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM credits_refuse((
        SELECT format('The totals of period %s are written already.', totals.period_id)
          FROM credits_closedtotals totals
         WHERE totals.period_id IN (SELECT period_id FROM added) LIMIT 1));
    RETURN NULL;
END
$$;

CREATE TRIGGER credits_summed_periods_take_no_wallet
    AFTER INSERT ON credits_closedwallet REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION credits_verify_closed_wallets();
ALTER TABLE credits_closedwallet ENABLE ALWAYS TRIGGER credits_summed_periods_take_no_wallet;

CREATE FUNCTION credits_verify_closed_totals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM credits_refuse((
        SELECT format('The totals of period %s are not those of its wallets.', NEW.period_id)
          FROM (SELECT count(*) AS wallets, coalesce(sum(opening), 0) AS opening,
                       coalesce(sum(credits_in), 0) AS credits_in,
                       coalesce(sum(credits_out), 0) AS credits_out,
                       coalesce(sum(closing), 0) AS closing
                  FROM credits_closedwallet WHERE period_id = NEW.period_id) summed
         WHERE (summed.wallets, summed.opening, summed.credits_in, summed.credits_out,
                summed.closing)
               IS DISTINCT FROM (NEW.wallets, NEW.opening, NEW.credits_in, NEW.credits_out,
                                 NEW.closing)));
    RETURN NULL;
END
$$;

CREATE TRIGGER credits_closed_totals_are_those_of_wallets
    AFTER INSERT ON credits_closedtotals
    FOR EACH ROW EXECUTE FUNCTION credits_verify_closed_totals();
ALTER TABLE credits_closedtotals ENABLE ALWAYS TRIGGER credits_closed_totals_are_those_of_wallets;

CREATE TRIGGER credits_closed_periods_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON credits_closedperiod
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_closedperiod ENABLE ALWAYS TRIGGER credits_closed_periods_are_append_only;

CREATE TRIGGER credits_closed_wallets_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON credits_closedwallet
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_closedwallet ENABLE ALWAYS TRIGGER credits_closed_wallets_are_append_only;

CREATE TRIGGER credits_closed_totals_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON credits_closedtotals
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_closedtotals ENABLE ALWAYS TRIGGER credits_closed_totals_are_append_only;

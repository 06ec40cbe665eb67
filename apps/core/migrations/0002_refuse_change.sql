-- For tables whose rows are kept as they are written. A rule that does nothing instead would
-- let a wrong UPDATE seem to succeed, so this raises, also when no row would be touched.
CREATE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are append-only: % (trigger %) is refused.',
        TG_TABLE_NAME, TG_OP, TG_NAME USING ERRCODE = 'check_violation';
END
$$;

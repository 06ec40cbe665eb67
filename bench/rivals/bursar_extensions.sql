-- Stand-ins for three extensions that bursar's migrations ask for and that neither the
-- embedded PostgreSQL nor the package has. Each is as cheap as can be, in bursar's favour:
--   pgcrypto       digest() of SHA-256 by the built-in function
--   pg_jsonschema  says of every document that it fits
--   pg_partman     makes this month's and the next four partitions, once
-- CREATE EXTENSION IF NOT EXISTS is content with the row in pg_extension.
SET allow_system_table_mods = on;
CREATE SCHEMA extensions;
CREATE SCHEMA partman;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
SELECT number, name, current_user::regrole, schema::regnamespace, false, version
  FROM (VALUES (90001, 'pgcrypto', 'extensions', '1.3'),
               (90002, 'pg_jsonschema', 'extensions', '0.3.3'),
               (90003, 'pg_partman', 'partman', '5.2.4')) AS stand_in (number, name, schema, version);

CREATE FUNCTION extensions.digest(data bytea, kind text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sha256(data);
CREATE FUNCTION extensions.digest(data text, kind text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN sha256(convert_to(data, 'UTF8'));
CREATE FUNCTION extensions.gen_random_bytes(count integer) RETURNS bytea
LANGUAGE sql VOLATILE STRICT AS
$$ SELECT substring(decode(replace(gen_random_uuid()::text, '-', ''), 'hex') FOR count) $$;

CREATE FUNCTION extensions.jsonschema_is_valid(schema json) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN true;
CREATE FUNCTION extensions.jsonb_matches_schema(schema json, instance jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN true;
CREATE FUNCTION extensions.jsonschema_validation_errors(schema json, instance json) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN '{}'::text[];

CREATE TABLE partman.part_config (
    parent_table text PRIMARY KEY, control text, partition_interval text, partition_type text,
    premake integer, automatic_maintenance text, retention text, retention_schema text,
    retention_keep_table boolean, retention_keep_index boolean, infinite_time_partitions boolean,
    ignore_default_data boolean, inherit_privileges boolean, jobmon boolean,
    template_table text, undo_in_progress boolean DEFAULT false
);
CREATE TABLE partman.part_config_sub (sub_parent text PRIMARY KEY);

CREATE FUNCTION partman.create_partition(
    p_parent_table text, p_control text, p_interval text, p_type text, p_premake integer,
    p_start_partition text, p_default_table boolean, p_automatic_maintenance text,
    p_jobmon boolean, p_date_trunc_interval text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    template text := 'partman.template_' || replace(p_parent_table, '.', '_');
    first timestamptz := p_start_partition::timestamptz;
    here timestamptz;
BEGIN
    EXECUTE format('CREATE TABLE %s (LIKE %s)', template, p_parent_table);
    FOR month IN 0 .. p_premake LOOP
        here := first + month * interval '1 month';
        EXECUTE format('CREATE TABLE %s PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                       p_parent_table || to_char(here, '"_p"YYYYMMDD'), p_parent_table,
                       here, here + interval '1 month');
    END LOOP;
    EXECUTE format('CREATE TABLE %s PARTITION OF %s DEFAULT',
                   p_parent_table || '_default', p_parent_table);
    INSERT INTO partman.part_config (parent_table, control, partition_interval, partition_type,
                                     template_table)
    VALUES (p_parent_table, p_control, p_interval, p_type, template);
    RETURN true;
END
$$;

-- For whom this transaction works. A setting that was made in another transaction and reset
-- is '' and not NULL.
CREATE FUNCTION coffer_organization() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('coffer.organization_id', true), '')::uuid
$$;

CREATE FUNCTION coffer_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('coffer.user_id', true), '')::uuid
$$;

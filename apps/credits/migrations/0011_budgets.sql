-- Which person an actor stands for, user:usr_… or key:key_…, so that budgets of members count
-- what a person did himself and by his keys alike. Null for tasks, and for what is no actor.
-- The inverse of apps/core/ids.py: 26 characters of 5 bits, of which the first two are 0.
CREATE FUNCTION credits_member_of(actor text) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN actor LIKE 'user:%' THEN named.id
                ELSE (SELECT created_by_id FROM rbac_apikey WHERE rbac_apikey.id = named.id) END
      FROM (SELECT string_agg(to_hex(substr(bits.text, 3 + 4 * place, 4)::bit(4)::int), ''
                              ORDER BY place)::uuid AS id
              FROM (SELECT string_agg((strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ',
                                              substr(right(actor, 26), place, 1)) - 1)::bit(5)::text,
                                      '' ORDER BY place) AS text
                      FROM generate_series(1, 26) AS place) AS bits,
                   generate_series(0, 31) AS place) AS named
     WHERE actor ~ '^(user:usr|key:key)_[0-7][0-9A-HJKMNP-TV-Z]{25}$'
$$;

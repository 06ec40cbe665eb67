-- Whose a secret is, asked before anybody is known: whoever shows the secret learns which
-- organization it opens, and without it nothing can be listed. They run as the owner of the
-- tables; `migrate` pins their search_path.
CREATE FUNCTION coffer_organization_of_api_key(shown bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT organization_id FROM rbac_apikey WHERE digest = shown OR previous_digest = shown LIMIT 1
$$;

CREATE FUNCTION coffer_organization_of_invitation(shown bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT organization_id FROM rbac_invitation WHERE digest = shown
$$;

-- Whose a claim link is, asked before anybody is known: whoever shows the secret learns which
-- organization it opens, and without it nothing can be listed.
CREATE FUNCTION coffer_organization_of_programme_claim(shown bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT organization_id FROM partners_partnermember WHERE digest = shown
$$;

-- Whose area a worker outside has: whoever shows the secret of his key and the id of his claim
-- together (their digest) learns which organization it is of, and without both nothing can be
-- listed. Runs as the owner of the tables; `migrate` pins its search_path.
CREATE FUNCTION coffer_organization_of_worker_claim(shown bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT organization_id FROM jobs_workerclaim WHERE digest = shown
$$;

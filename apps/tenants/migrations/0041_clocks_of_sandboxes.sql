CREATE FUNCTION tenants_clock_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The clock of a sandbox never goes back, and a sandbox stays one.'
          USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER tenants_clock_goes_on
    BEFORE UPDATE OF clock_at ON tenants_organization
    FOR EACH ROW WHEN (OLD.clock_at IS NOT NULL
                       AND (NEW.clock_at IS NULL OR NEW.clock_at < OLD.clock_at))
    EXECUTE FUNCTION tenants_clock_goes_on();

-- Fires for a session that replays as a replica, too.
ALTER TABLE tenants_organization ENABLE ALWAYS TRIGGER tenants_clock_goes_on;

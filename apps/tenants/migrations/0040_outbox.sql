CREATE TRIGGER tenants_events_stay
    BEFORE UPDATE OR DELETE OR TRUNCATE ON tenants_outboxevent
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();

-- Fires for a session that replays as a replica, too.
ALTER TABLE tenants_outboxevent ENABLE ALWAYS TRIGGER tenants_events_stay;

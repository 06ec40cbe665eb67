CREATE TRIGGER tenants_audit_rows_stay
    BEFORE UPDATE OR DELETE OR TRUNCATE ON tenants_auditlog
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();

-- Fires for a session that replays as a replica, too.
ALTER TABLE tenants_auditlog ENABLE ALWAYS TRIGGER tenants_audit_rows_stay;

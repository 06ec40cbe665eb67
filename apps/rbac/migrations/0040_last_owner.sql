-- An organization that is not closed always has an owner, whoever writes.

-- Locks the organization first: of two owners who go at the same moment, the second waits
-- here, and then sees that the first is gone. Volatile, so each query sees what is committed.
CREATE FUNCTION rbac_require_owner(checked uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM tenants_organization
      WHERE id = checked AND closed_at IS NULL FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (
        SELECT FROM rbac_userrole assigned JOIN rbac_role role ON role.id = assigned.role_id
         WHERE assigned.organization_id = checked
           AND role.name = 'owner' AND role.is_system_role)
    THEN
        RAISE EXCEPTION 'Organization % would have no owner.', checked
            USING ERRCODE = 'check_violation',
                  CONSTRAINT = 'rbac_organization_keeps_an_owner';
    END IF;
END
$$;

CREATE FUNCTION rbac_keep_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM rbac_role
                WHERE id = OLD.role_id AND name = 'owner' AND is_system_role) THEN
        PERFORM rbac_require_owner(OLD.organization_id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER rbac_last_owner_stays
    AFTER DELETE OR UPDATE ON rbac_userrole FOR EACH ROW
    WHEN (OLD.organization_id IS NOT NULL)
    EXECUTE FUNCTION rbac_keep_owner();
ALTER TABLE rbac_userrole ENABLE ALWAYS TRIGGER rbac_last_owner_stays;

CREATE TRIGGER rbac_roles_are_not_truncated
    BEFORE TRUNCATE ON rbac_userrole
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE rbac_userrole ENABLE ALWAYS TRIGGER rbac_roles_are_not_truncated;

-- At commit: a new organization gets its owner later in the same transaction.
CREATE FUNCTION rbac_begin_with_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM rbac_require_owner(NEW.id);
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER rbac_organization_has_an_owner
    AFTER INSERT OR UPDATE OF closed_at ON tenants_organization
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION rbac_begin_with_owner();
ALTER TABLE tenants_organization ENABLE ALWAYS TRIGGER rbac_organization_has_an_owner;

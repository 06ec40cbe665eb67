-- System roles are written by the release alone (apps/rbac/services/roles.py says so by the
-- setting). A service that forgets to ask, the admin, and the shell are refused here.
CREATE FUNCTION rbac_refuse_to_touch_system_roles() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_locked boolean;
BEGIN
    IF current_setting('coffer.writes_system_roles', true) = 'on' THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_TABLE_NAME = 'rbac_role' THEN
        IF TG_OP = 'UPDATE' AND NEW.organization_id IS DISTINCT FROM OLD.organization_id THEN
            RAISE EXCEPTION 'A role stays in its organization.' USING ERRCODE = 'check_violation';
        END IF;
        is_locked := OLD.is_system_role OR NEW.is_system_role;
    ELSE
        is_locked := EXISTS (
            SELECT FROM rbac_role
            WHERE id IN (OLD.role_id, NEW.role_id) AND is_system_role);
    END IF;
    IF is_locked THEN
        RAISE EXCEPTION 'System roles are locked: % on % is refused.', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END
$$;

CREATE TRIGGER rbac_system_roles_are_locked
    BEFORE INSERT OR UPDATE OR DELETE ON rbac_role
    FOR EACH ROW EXECUTE FUNCTION rbac_refuse_to_touch_system_roles();
ALTER TABLE rbac_role ENABLE ALWAYS TRIGGER rbac_system_roles_are_locked;

CREATE TRIGGER rbac_system_roles_keep_their_permissions
    BEFORE INSERT OR UPDATE OR DELETE ON rbac_rolepermission
    FOR EACH ROW EXECUTE FUNCTION rbac_refuse_to_touch_system_roles();
ALTER TABLE rbac_rolepermission
    ENABLE ALWAYS TRIGGER rbac_system_roles_keep_their_permissions;

CREATE TRIGGER rbac_role_definitions_are_not_truncated
    BEFORE TRUNCATE ON rbac_role FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE rbac_role ENABLE ALWAYS TRIGGER rbac_role_definitions_are_not_truncated;

CREATE TRIGGER rbac_role_permissions_are_not_truncated
    BEFORE TRUNCATE ON rbac_rolepermission
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE rbac_rolepermission
    ENABLE ALWAYS TRIGGER rbac_role_permissions_are_not_truncated;

-- A role that one organization made is given in no other one, and nowhere for all.
CREATE FUNCTION rbac_refuse_a_role_of_another_organization() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM rbac_role
        WHERE id = NEW.role_id
            AND organization_id IS NOT NULL
            AND organization_id IS DISTINCT FROM NEW.organization_id)
    THEN
        RAISE EXCEPTION 'A role is given in its own organization alone.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER rbac_roles_stay_in_their_organization
    BEFORE INSERT OR UPDATE ON rbac_userrole
    FOR EACH ROW EXECUTE FUNCTION rbac_refuse_a_role_of_another_organization();
ALTER TABLE rbac_userrole ENABLE ALWAYS TRIGGER rbac_roles_stay_in_their_organization;

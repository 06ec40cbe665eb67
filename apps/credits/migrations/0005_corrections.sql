-- A correction is decided once; what was asked for never changes, and none is forgotten.

CREATE TRIGGER credits_corrections_are_decided_once
    BEFORE UPDATE ON credits_correction FOR EACH ROW
    WHEN (OLD.status <> 'pending'
          OR (OLD.id, OLD.organization_id, OLD.wallet_id, OLD.action, OLD.terms, OLD.amount,
              OLD.reason, OLD.note, OLD.ticket, OLD.requested_by_id, OLD.needs_second_person,
              OLD.expires_at, OLD.created_at)
             IS DISTINCT FROM
             (NEW.id, NEW.organization_id, NEW.wallet_id, NEW.action, NEW.terms, NEW.amount,
              NEW.reason, NEW.note, NEW.ticket, NEW.requested_by_id, NEW.needs_second_person,
              NEW.expires_at, NEW.created_at))
    EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_correction ENABLE ALWAYS TRIGGER credits_corrections_are_decided_once;

CREATE TRIGGER credits_corrections_are_kept
    BEFORE DELETE OR TRUNCATE ON credits_correction
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_correction ENABLE ALWAYS TRIGGER credits_corrections_are_kept;

-- What was imported stays as it was; an account gets its history once.
CREATE TRIGGER credits_former_accounts_keep_their_terms
    BEFORE UPDATE ON credits_formeraccount FOR EACH ROW
    WHEN ((OLD.id, OLD.organization_id, OLD.wallet_id, OLD.former_id, OLD.balance)
          IS DISTINCT FROM
          (NEW.id, NEW.organization_id, NEW.wallet_id, NEW.former_id, NEW.balance)
          OR OLD.history_digest IS NOT NULL)
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER credits_former_accounts_stay
    BEFORE DELETE OR TRUNCATE ON credits_formeraccount
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER credits_former_movements_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON credits_formermovement
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_formeraccount ENABLE ALWAYS TRIGGER credits_former_accounts_keep_their_terms;
ALTER TABLE credits_formeraccount ENABLE ALWAYS TRIGGER credits_former_accounts_stay;
ALTER TABLE credits_formermovement ENABLE ALWAYS TRIGGER credits_former_movements_are_append_only;

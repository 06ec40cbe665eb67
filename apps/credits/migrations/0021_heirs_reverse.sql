-- The trigger as it was in 0002_ledger_guards.sql.
DROP TRIGGER credits_terms_of_a_lot_are_fixed ON credits_lot;

CREATE TRIGGER credits_terms_of_a_lot_are_fixed
    BEFORE UPDATE ON credits_lot FOR EACH ROW
    WHEN ((OLD.id, OLD.organization_id, OLD.wallet_id, OLD.kind, OLD.granted, OLD.priority,
           OLD.effective_at, OLD.expires_at, OLD.unit_cost, OLD.currency, OLD.features, OLD.origin,
           OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.organization_id, NEW.wallet_id, NEW.kind, NEW.granted, NEW.priority,
           NEW.effective_at, NEW.expires_at, NEW.unit_cost, NEW.currency, NEW.features, NEW.origin,
           NEW.created_at))
    EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_lot ENABLE ALWAYS TRIGGER credits_terms_of_a_lot_are_fixed;

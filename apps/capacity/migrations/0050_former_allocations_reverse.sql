-- The trigger as in 0002_what_is_kept.sql.
DROP TRIGGER capacity_allocations_keep_their_terms ON capacity_allocation;
CREATE TRIGGER capacity_allocations_keep_their_terms
    BEFORE UPDATE ON capacity_allocation FOR EACH ROW
    WHEN ((OLD.organization_id, OLD.block_id, OLD.capacity_kw, OLD.reservation_id,
           OLD.follows_id, OLD.effective_from)
          IS DISTINCT FROM
          (NEW.organization_id, NEW.block_id, NEW.capacity_kw, NEW.reservation_id,
           NEW.follows_id, NEW.effective_from)
          OR OLD.released_at IS NOT NULL)
    EXECUTE FUNCTION core_refuse_change();
ALTER TABLE capacity_allocation ENABLE ALWAYS TRIGGER capacity_allocations_keep_their_terms;

-- A block keeps its project, its name, its size and where it came from.
CREATE TRIGGER capacity_blocks_keep_their_size
    BEFORE UPDATE ON capacity_capacityblock FOR EACH ROW
    WHEN ((OLD.project_id, OLD.serial, OLD.capacity_kw, OLD.position, OLD.split_from_id)
          IS DISTINCT FROM
          (NEW.project_id, NEW.serial, NEW.capacity_kw, NEW.position, NEW.split_from_id)
          OR OLD.merged_into_id <> NEW.merged_into_id OR OLD.retired_at <> NEW.retired_at)
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER capacity_blocks_stay
    BEFORE DELETE OR TRUNCATE ON capacity_capacityblock
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE capacity_capacityblock ENABLE ALWAYS TRIGGER capacity_blocks_keep_their_size;
ALTER TABLE capacity_capacityblock ENABLE ALWAYS TRIGGER capacity_blocks_stay;

-- An allocation ends, and says from the beginning whose it is; what has ended does not change.
CREATE TRIGGER capacity_allocations_keep_their_terms
    BEFORE UPDATE ON capacity_allocation FOR EACH ROW
    WHEN ((OLD.organization_id, OLD.block_id, OLD.capacity_kw, OLD.reservation_id,
           OLD.follows_id, OLD.effective_from)
          IS DISTINCT FROM
          (NEW.organization_id, NEW.block_id, NEW.capacity_kw, NEW.reservation_id,
           NEW.follows_id, NEW.effective_from)
          OR OLD.released_at IS NOT NULL)
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER capacity_allocations_stay
    BEFORE DELETE OR TRUNCATE ON capacity_allocation
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE capacity_allocation ENABLE ALWAYS TRIGGER capacity_allocations_keep_their_terms;
ALTER TABLE capacity_allocation ENABLE ALWAYS TRIGGER capacity_allocations_stay;

-- A rate is followed by another one; fees and credits of the past are worked out from it.
CREATE TRIGGER capacity_rates_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON capacity_projectrate
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE capacity_projectrate ENABLE ALWAYS TRIGGER capacity_rates_are_append_only;

-- A project is closed, and never deleted.
CREATE TRIGGER capacity_projects_stay
    BEFORE DELETE OR TRUNCATE ON capacity_project
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE capacity_project ENABLE ALWAYS TRIGGER capacity_projects_stay;

-- A reading is corrected by another one. It is divided once and posted once.
CREATE TRIGGER capacity_readings_keep_their_facts
    BEFORE UPDATE ON capacity_generationreading FOR EACH ROW
    WHEN ((OLD.project_id, OLD.starts_on, OLD.ends_on, OLD.energy_wh, OLD.correction_of_id)
          IS DISTINCT FROM
          (NEW.project_id, NEW.starts_on, NEW.ends_on, NEW.energy_wh, NEW.correction_of_id)
          OR OLD.shared_at IS NOT NULL
          AND (OLD.shared_at, OLD.banked_wh, OLD.banked_percent)
              IS DISTINCT FROM (NEW.shared_at, NEW.banked_wh, NEW.banked_percent)
          OR OLD.posted_at <> NEW.posted_at OR OLD.posted_at IS NOT NULL AND NEW.posted_at IS NULL)
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER capacity_readings_stay
    BEFORE DELETE OR TRUNCATE ON capacity_generationreading
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE capacity_generationreading ENABLE ALWAYS TRIGGER capacity_readings_keep_their_facts;
ALTER TABLE capacity_generationreading ENABLE ALWAYS TRIGGER capacity_readings_stay;

-- A share keeps what it is of what; how many credits it got is open until they are posted.
CREATE TRIGGER capacity_shares_keep_what_they_say
    BEFORE UPDATE ON capacity_generationshare FOR EACH ROW
    WHEN ((OLD.organization_id, OLD.reading_id, OLD.allocation_id, OLD.percent, OLD.energy_wh,
           OLD.earned)
          IS DISTINCT FROM
          (NEW.organization_id, NEW.reading_id, NEW.allocation_id, NEW.percent, NEW.energy_wh,
           NEW.earned)
          OR OLD.posted_at IS NOT NULL)
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER capacity_shares_stay
    BEFORE DELETE OR TRUNCATE ON capacity_generationshare
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE capacity_generationshare ENABLE ALWAYS TRIGGER capacity_shares_keep_what_they_say;
ALTER TABLE capacity_generationshare ENABLE ALWAYS TRIGGER capacity_shares_stay;

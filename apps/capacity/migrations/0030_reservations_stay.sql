-- What was allocated stays allocated, and what was paid too late stays so: the money must go back.
CREATE TRIGGER capacity_reservations_keep_their_end
    BEFORE UPDATE ON capacity_reservation FOR EACH ROW
    WHEN (OLD.status IN ('allocated', 'late') AND OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER capacity_reservations_stay
    BEFORE DELETE OR TRUNCATE ON capacity_reservation
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE capacity_reservation ENABLE ALWAYS TRIGGER capacity_reservations_keep_their_end;
ALTER TABLE capacity_reservation ENABLE ALWAYS TRIGGER capacity_reservations_stay;

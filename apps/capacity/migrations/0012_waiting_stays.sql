-- How many are served before an entry of a waiting list, and itself. The web sees only its own
-- organization's entries, so this runs as the owner of the tables; it tells a number and nobody's
-- name. `migrate` pins its search_path.
CREATE FUNCTION capacity_place_in_line(entry uuid) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT count(*)::integer
      FROM capacity_waitlistentry own
      JOIN capacity_waitlistentry other
        ON other.project_id = own.project_id AND other.status = 'waiting'
       AND (NOT other.comes_first, other.created_at, other.id)
           <= (NOT own.comes_first, own.created_at, own.id)
     WHERE own.id = entry
$$;

-- What has ended stays so, and whose it is: nobody gets a second offer for one entry.
CREATE TRIGGER capacity_entries_keep_their_end
    BEFORE UPDATE ON capacity_waitlistentry FOR EACH ROW
    WHEN (OLD.status IN ('taken', 'declined', 'lapsed', 'withdrawn')
          AND OLD.status IS DISTINCT FROM NEW.status
          OR OLD.reservation_id <> NEW.reservation_id
          OR (OLD.organization_id, OLD.project_id, OLD.created_at)
             IS DISTINCT FROM (NEW.organization_id, NEW.project_id, NEW.created_at))
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER capacity_entries_stay
    BEFORE DELETE OR TRUNCATE ON capacity_waitlistentry
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE capacity_waitlistentry ENABLE ALWAYS TRIGGER capacity_entries_keep_their_end;
ALTER TABLE capacity_waitlistentry ENABLE ALWAYS TRIGGER capacity_entries_stay;

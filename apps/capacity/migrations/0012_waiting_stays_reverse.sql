DROP TRIGGER capacity_entries_stay ON capacity_waitlistentry;
DROP TRIGGER capacity_entries_keep_their_end ON capacity_waitlistentry;
DROP FUNCTION capacity_place_in_line(uuid);

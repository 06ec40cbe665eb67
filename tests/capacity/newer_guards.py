"""What the database refuses of waiting lists and of what was generated."""

from functools import partial

from apps.capacity.models import GenerationReading, GenerationShare, WaitlistEntry
from tests.capacity.guarded import TAKEN, UNDIVIDED, check, unique, unsigned
from tests.races.refusals import removals, updates

# A reservation, an allocation and an organization that the rows in question do not have.
RESERVATION = (
    "(SELECT id FROM capacity_reservation WHERE id NOT IN (SELECT reservation_id"
    " FROM capacity_waitlistentry WHERE reservation_id IS NOT NULL) LIMIT 1)"
)
ALLOCATION = (
    "(SELECT id FROM capacity_allocation WHERE id NOT IN"
    " (SELECT allocation_id FROM capacity_generationshare) LIMIT 1)"
)
OTHER = "(SELECT id FROM tenants_organization WHERE name = 'Other')"
OFFERED = "(SELECT reservation_id FROM capacity_waitlistentry WHERE reservation_id IS NOT NULL)"
CORRECTED = (
    "(SELECT correction_of_id FROM capacity_generationreading WHERE correction_of_id IS NOT NULL)"
)
DIVIDED = {"shared_at": "now()", "banked_wh": "0", "banked_percent": "0"}


too_soon = partial(check, "capacity_entry_is_offered_before_it_is_taken", WaitlistEntry)
left_over = partial(check, "capacity_shared_reading_says_what_is_left", GenerationReading)
NEWER = [
    *(
        check("capacity_entry_asks_for_something", WaitlistEntry, **{column: value})
        for column, value in (
            ("requested_kw", "0"),
            ("tolerance_kw", "-1"),
            ("max_overshoot_kw", "-1"),
            ("mode", "'any'"),
        )
    ),
    too_soon(offered_at="now()"),
    too_soon(reservation_id=RESERVATION),
    too_soon(status="'taken'"),
    too_soon(status="'taken'", reservation_id=RESERVATION),
    too_soon(**TAKEN),
    too_soon(status="'lost'"),
    check("capacity_ended_entry_says_when", WaitlistEntry, ended_at="NULL"),
    check(
        "capacity_ended_entry_says_when", WaitlistEntry, status="'waiting'", organization_id=OTHER
    ),
    unsigned("capacity_waitlistentry_mail_attempts_check", "mail_attempts", WaitlistEntry),
    unique("capacity_customer_waits_once", WaitlistEntry, status="'waiting'", ended_at="NULL"),
    unique("capacity_offer_is_one_reservation", WaitlistEntry, **TAKEN, reservation_id=OFFERED),
    *updates(
        "capacity_entries_keep_their_end",
        WaitlistEntry,
        "status = 'lapsed' WHERE status = 'declined'",
        f"reservation_id = {RESERVATION} WHERE status = 'declined'",
        f"organization_id = {OTHER} WHERE status = 'waiting'",
        "project_id = (SELECT id FROM capacity_project LIMIT 1)",
        "created_at = created_at - interval '1 s'",
    ),
    *removals("capacity_entries_stay", WaitlistEntry),
    check("capacity_reading_can_be", GenerationReading, energy_wh="-1"),
    check("capacity_reading_can_be", GenerationReading, ends_on="starts_on - 41"),
    check("capacity_reading_can_be", GenerationReading, source="'web'"),
    left_over(banked_wh="0"),
    left_over(banked_percent="0"),
    left_over(posted_at="now()"),
    *(
        left_over(**{**DIVIDED, column: value})
        for column, value in (
            ("shared_at", "NULL"),
            ("banked_wh", "NULL"),
            ("banked_percent", "NULL"),
            ("banked_wh", "-1"),
            ("banked_wh", "energy_wh + 1"),
            ("banked_percent", "-1"),
            ("banked_percent", "101"),
        )
    ),
    unique(
        "capacity_one_first_reading_of_a_period",
        GenerationReading,
        starts_on="starts_on",
        ends_on="ends_on",
    ),
    unique(
        "capacity_generationreading_correction_of_id_key",
        GenerationReading,
        correction_of_id=CORRECTED,
    ),
    *updates(
        "capacity_readings_keep_their_facts",
        GenerationReading,
        "project_id = (SELECT max(id::text)::uuid FROM capacity_project)",
        "starts_on = starts_on - 1",
        "ends_on = ends_on + 1",
        "energy_wh = energy_wh + 1",
        "correction_of_id = id WHERE shared_at IS NULL AND correction_of_id IS NULL",
        "shared_at = shared_at + interval '1 s'",
        "banked_wh = banked_wh + 1",
        "banked_percent = banked_percent + 1",
        "posted_at = posted_at + interval '1 s'",
        "posted_at = NULL",
    ),
    *removals(
        "capacity_readings_stay",
        GenerationReading,
        "DROP TRIGGER capacity_shares_stay ON capacity_generationshare",
    ),
    *(
        check("capacity_share_is_not_negative", GenerationShare, **{column: "-1"})
        for column in ("energy_wh", "earned", "percent")
    ),
    check("capacity_posted_share_says_when", GenerationShare, posted_at="NULL"),
    check("capacity_posted_share_says_when", GenerationShare, reference="''"),
    unique("capacity_reading_is_shared_once", GenerationShare, reading_id="reading_id"),
    *updates(
        "capacity_shares_keep_what_they_say",
        GenerationShare,
        "credits = credits + 1 WHERE posted_at IS NOT NULL",
        *(
            f"{change} WHERE posted_at IS NULL"
            for change in (
                f"organization_id = {OTHER}",
                f"reading_id = {UNDIVIDED}",
                f"allocation_id = {ALLOCATION}",
                "percent = percent - 1",
                "energy_wh = energy_wh + 1",
                "earned = earned + 1",
            )
        ),
    ),
    *removals("capacity_shares_stay", GenerationShare),
]

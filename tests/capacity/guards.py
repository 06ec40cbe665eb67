"""What the database refuses of capacity: for each guard a write that it alone refuses."""

from apps.capacity.models import (
    Allocation,
    CapacityBlock,
    ClassCap,
    Customer,
    CustomerClass,
    GenerationReading,
    GenerationShare,
    Project,
    ProjectRate,
    Reservation,
    WaitlistEntry,
)
from tests.capacity.guarded import NEW_ROW, PAID, PAYMENT, check, unique, unsigned
from tests.capacity.newer_guards import NEWER
from tests.races.guards import Guard
from tests.races.refusals import append_only, removals, trigger

STAYING = {  # to empty one table empties what points at it, whose guard would refuse as well
    "capacity_rates_are_append_only": ProjectRate,
    "capacity_projects_stay": Project,
    "capacity_blocks_stay": CapacityBlock,
    "capacity_reservations_stay": Reservation,
    "capacity_allocations_stay": Allocation,
    "capacity_entries_stay": WaitlistEntry,
    "capacity_readings_stay": GenerationReading,
    "capacity_shares_stay": GenerationShare,
}


def without_others(name: str) -> list[str]:
    """Return statements that remove all guards of tables that stay, but for this one."""
    return [
        f"DROP TRIGGER {other} ON {model._meta.db_table}"
        for other, model in STAYING.items()
        if other != name
    ]


GUARDS = [
    check("capacity_project_sells_no_kw_twice", Project, allocated_kw="1"),
    check("capacity_project_sells_no_kw_twice", Project, held_kw="1"),
    check("capacity_project_sells_no_kw_twice", Project, held_kw="1", allocated_kw="-1"),
    check("capacity_project_sells_no_kw_twice", Project, held_kw="-1", allocated_kw="1"),
    check("capacity_project_sells_no_kw_twice", Project, blocks_kw="capacity_kw + 1"),
    check("capacity_project_can_be", Project, capacity_kw="0"),
    check("capacity_project_can_be", Project, currency="'EUR'"),
    check("capacity_project_can_be", Project, hold_minutes="0"),
    check("capacity_project_can_be", Project, hold_minutes="1441"),
    check("capacity_project_can_be", Project, customer_cap_kw="0"),
    check("capacity_project_status_is_known", Project, status="'sold'"),
    check(
        "capacity_project_ends_after_it_starts",
        Project,
        starts_on="date '2026-02-01'",
        ends_on="date '2026-01-31'",
    ),
    unsigned(
        "capacity_project_hold_minutes_check",  # the guard of ours asks for more
        "hold_minutes",
        beside="ALTER TABLE capacity_project DROP CONSTRAINT capacity_project_can_be",
    ),
    check("capacity_project_offers_for_a_while", Project, offer_hours="0"),
    check("capacity_project_offers_for_a_while", Project, offer_hours="721"),
    unsigned(
        "capacity_project_offer_hours_check",
        "offer_hours",
        beside="ALTER TABLE capacity_project DROP CONSTRAINT capacity_project_offers_for_a_while",
    ),
    check("capacity_true_up_month_is_one", Project, true_up_month="0"),
    check("capacity_true_up_month_is_one", Project, true_up_month="13"),
    unsigned(
        "capacity_project_true_up_month_check",
        "true_up_month",
        beside="ALTER TABLE capacity_project DROP CONSTRAINT capacity_true_up_month_is_one",
    ),
    unsigned("capacity_project_notice_days_check", "notice_days"),
    unsigned("capacity_project_waiting_count_check", "waiting_count"),
    unique("capacity_project_code_key", Project, code="code"),
    *removals("capacity_projects_stay", Project, *without_others("capacity_projects_stay")),
    check("capacity_rate_is_not_negative", ProjectRate, fee="-1"),
    check("capacity_rate_is_not_negative", ProjectRate, credits_per_kwh="-1"),
    unique("capacity_one_rate_at_a_time", ProjectRate, effective_from="effective_from"),
    *append_only("capacity_rates_are_append_only", ProjectRate),
    unique("capacity_customerclass_name_key", CustomerClass, name="name"),
    unique("capacity_customer_organization_id_key", Customer, organization_id="organization_id"),
    check("capacity_class_cap_is_something", ClassCap, customer_cap_kw="0"),
    unique("capacity_one_cap_for_each_class", ClassCap, customer_class_id="customer_class_id"),
    check("capacity_block_has_a_size", CapacityBlock, capacity_kw="0"),
    check("capacity_block_state_is_known", CapacityBlock, state="'lost'"),
    check("capacity_held_block_says_for_what", CapacityBlock, state="'held'"),
    check("capacity_held_block_says_for_what", CapacityBlock, held_until="now()"),
    check("capacity_retired_block_says_when", CapacityBlock, state="'retired'"),
    check("capacity_retired_block_says_when", CapacityBlock, retired_at="now()"),
    check("capacity_retired_block_says_when", CapacityBlock, merged_into_id="id"),
    unsigned("capacity_capacityblock_position_check", "position", CapacityBlock),
    unique("capacity_block_has_its_serial", CapacityBlock, serial="serial"),
    *(
        trigger(
            "capacity_blocks_keep_their_size",
            CapacityBlock,
            f"UPDATE capacity_capacityblock SET {change}",
        )
        for change in (
            "serial = serial || 'x'",
            "capacity_kw = capacity_kw + 1",
            "position = position + 1",
            "split_from_id = id",
            "retired_at = retired_at + interval '1 s'",
        )
    ),
    *removals("capacity_blocks_stay", CapacityBlock, *without_others("capacity_blocks_stay")),
    check("capacity_reservation_can_be", Reservation, requested_kw="0"),
    check("capacity_reservation_can_be", Reservation, capacity_kw="0"),
    check("capacity_reservation_can_be", Reservation, tolerance_kw="-1"),
    check("capacity_reservation_can_be", Reservation, max_overshoot_kw="-1"),
    check("capacity_reservation_can_be", Reservation, mode="'any'"),
    check("capacity_reservation_status_is_known", Reservation, status="'lost'", ended_at="now()"),
    check("capacity_ended_reservation_says_when", Reservation, status="'expired'"),
    check("capacity_ended_reservation_says_when", Reservation, ended_at="now()"),
    check("capacity_reservation_is_paid_once", Reservation, offline_reference="'x'"),
    check("capacity_reservation_is_paid_once", Reservation, status="'late'", ended_at="now()"),
    check("capacity_reservation_is_paid_once", Reservation, **PAID),
    check(
        "capacity_reservation_is_paid_once",
        Reservation,
        **PAID,
        payment_id=PAYMENT,
        offline_reference="'x'",
    ),
    Guard(
        "capacity_payment_pays_one_reservation",
        "unique",
        "capacity_reservation",
        "UPDATE capacity_reservation SET offline_reference = '', paid_at = now(),"
        " status = 'allocated', ended_at = now(), payment_id = (SELECT id FROM billing_payment)",
    ),
    trigger(
        "capacity_reservations_keep_their_end",
        Reservation,
        "UPDATE capacity_reservation SET status = 'late' WHERE status = 'allocated'",
    ),
    *removals(
        "capacity_reservations_stay",
        Reservation,
        *without_others("capacity_reservations_stay"),
    ),
    check("capacity_allocation_has_a_size", Allocation, capacity_kw="0"),
    check("capacity_allocation_ends_after_it_began", Allocation, effective_to="effective_from - 1"),
    check("capacity_ending_allocation_says_why", Allocation, ending="''"),
    check("capacity_ending_allocation_says_why", Allocation, ending="'lost'"),
    check("capacity_released_allocation_has_an_end", Allocation, effective_to="NULL", ending="''"),
    unique(
        "capacity_block_has_one_live_allocation",
        Allocation,
        released_at="NULL",
        block_id="(SELECT block_id FROM capacity_allocation WHERE released_at IS NULL LIMIT 1)",
    ),
    Guard(
        "capacity_allocation_is_imported_once",
        "unique",
        "capacity_allocation",
        "; ".join([NEW_ROW[Allocation](former_id="'a-1'")] * 2),
    ),
    *(
        trigger(
            "capacity_allocations_keep_their_terms",
            Allocation,
            f"UPDATE capacity_allocation SET {change}",
        )
        for change in (
            "capacity_kw = capacity_kw + 1 WHERE released_at IS NULL",
            "effective_from = effective_from - 1 WHERE released_at IS NULL",
            "follows_id = id WHERE released_at IS NULL",
            "former_id = id::text WHERE released_at IS NULL",
            "ending = 'moved' WHERE released_at IS NOT NULL",
        )
    ),
    *removals(
        "capacity_allocations_stay", Allocation, *without_others("capacity_allocations_stay")
    ),
    *NEWER,
]

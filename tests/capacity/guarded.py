"""Rows that capacity's guards are tried on: each table's, and one that is as good as they are."""

from datetime import date
from functools import partial

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
from apps.capacity.services.blocks import retire_blocks
from apps.capacity.services.ending import withdraw_allocations
from apps.capacity.services.waiting import leave
from apps.core import clock
from apps.tenants.models import Organization
from tests.capacity.lines import full_project, offered, wait
from tests.capacity.plants import add_block, allocate, hold, make_payment, make_project
from tests.people import make_organization
from tests.races.guards import Guard, copy, foreign_keys, primary_keys
from tests.races.refusals import refused
from tests.races.sql import ask_what_is_asked_at_commit

NEW_PROJECT = {"code": "'forged'", "blocks_kw": "0", "allocated_kw": "0", "held_kw": "0"}
PAID = {"status": "'allocated'", "ended_at": "now()", "paid_at": "now()"}
PAYMENT = "(SELECT id FROM billing_payment)"
TAKEN = {"status": "'taken'", "offered_at": "now()"}
UNDIVIDED = (
    "(SELECT id FROM capacity_generationreading"
    " WHERE shared_at IS NULL AND correction_of_id IS NULL)"
)
NEW_ROW = {
    Project: lambda **changes: copy(Project, **{**NEW_PROJECT, **changes}),
    ProjectRate: lambda **changes: copy(
        ProjectRate, **{"effective_from": "effective_from + 1", **changes}
    ),
    CustomerClass: lambda **changes: copy(CustomerClass, **{"name": "'forged'", **changes}),
    Customer: lambda **changes: copy(
        Customer,
        **{
            "organization_id": "(SELECT id FROM tenants_organization WHERE name = 'Other')",
            **changes,
        },
    ),
    ClassCap: lambda **changes: copy(
        ClassCap,
        **{
            "customer_class_id": "(SELECT id FROM capacity_customerclass WHERE name = 'Firms')",
            **changes,
        },
    ),
    CapacityBlock: lambda **changes: copy(
        CapacityBlock, "state = 'free'", **{"serial": "'forged'", **changes}
    ),
    Reservation: partial(copy, Reservation, "status = 'held'"),
    Allocation: partial(copy, Allocation, "released_at IS NOT NULL"),
    WaitlistEntry: partial(copy, WaitlistEntry, "status = 'withdrawn'"),
    GenerationReading: lambda **changes: copy(
        GenerationReading,
        "shared_at IS NULL AND correction_of_id IS NULL",
        **{"starts_on": "starts_on - 40", "ends_on": "ends_on - 40", **changes},
    ),
    GenerationShare: lambda **changes: copy(
        GenerationShare,
        "posted_at IS NOT NULL",
        **{"reading_id": UNDIVIDED, **changes},
    ),
}
TABLES = "|".join(model._meta.db_table for model in NEW_ROW)


def make_guarded_plant() -> None:
    """Make blocks that are free, held, allocated and retired, with all that goes with them."""
    acme, project = make_organization(), make_project(5, 3, 2, 1)
    make_organization(name="Other")
    homes, _ = (CustomerClass.objects.create(name=name) for name in ("Homes", "Firms"))
    Customer.objects.create(organization=acme, customer_class=homes)
    ClassCap.objects.create(project=project, customer_class=homes, customer_cap_kw=100)
    retire_blocks(project=project, blocks=[add_block(project, 1)], reason="Broken")
    withdraw_allocations(allocations=allocate(acme, project, 5), reason="Moved away")
    allocate(acme, project, 5)
    hold(acme, project, 3)
    make_payment(acme)
    make_line(acme)
    make_readings(project)
    ask_what_is_asked_at_commit()


def make_line(organization: Organization) -> None:
    """Make an entry of a waiting list that was declined, one that was left, and one that waits."""
    leave(entry=offered(organization, 5))
    project, _ = full_project(5)
    leave(entry=wait(organization, project, 5))
    wait(organization, project, 5)


def make_readings(project: Project) -> None:
    """Make a reading that was divided and posted, one that was not, and a correction."""
    now, source = clock.database_now(), GenerationReading.Source.STAFF
    months = [(date(2026, 9, 1), date(2026, 9, 30)), (date(2026, 10, 1), date(2026, 10, 31))]
    past, _ = (
        GenerationReading.objects.create(
            project=project, starts_on=begin, ends_on=end, energy_wh=1000, source=source
        )
        for begin, end in months
    )
    correction = GenerationReading.objects.create(
        project=project,
        starts_on=past.starts_on,
        ends_on=past.ends_on,
        energy_wh=900,
        source=source,
        correction_of=past,
    )
    GenerationReading.objects.filter(pk=past.pk).update(
        shared_at=now, banked_wh=0, banked_percent=0, posted_at=now
    )
    allocation = Allocation.objects.earliest("id")
    for reading, posting in ((past, {"reference": "one", "posted_at": now}), (correction, {})):
        GenerationShare.objects.create(
            organization=allocation.organization,
            reading=reading,
            allocation=allocation,
            percent=100,
            energy_wh=reading.energy_wh,
            earned=1,
            **posting,
        )


def keys() -> list[Guard]:
    """Return the primary and foreign keys of capacity; `copy` leaves out what a table has not."""
    retired = {"state": "'retired'", "retired_at": "now()"}
    return primary_keys(NEW_ROW) + foreign_keys(
        NEW_ROW, {"payment_id": PAID, "merged_into_id": retired, "reservation_id": TAKEN}
    )


check, unique = partial(refused, NEW_ROW, "check"), partial(refused, NEW_ROW, "unique")


def unsigned(name: str, column: str, model: type = Project, beside: str = "") -> Guard:
    """Return the guard of Django's own on a column that has no sign."""
    return check(name, model, beside, **{column: "-1"})

"""Whatever is done with two hundred blocks asks the database as often as with two."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.capacity.services.blocks import retire_blocks
from apps.capacity.services.ending import cancel_allocations, withdraw_allocations
from apps.capacity.services.handing_on import move_allocations, transfer_allocations
from apps.capacity.services.reserving import release_reservation
from apps.capacity.services.settling import settle_offline
from apps.capacity.services.sweeping import end_due_allocations, expire_reservations
from tests.capacity.plants import allocate, hold, later, make_blocks, make_project, past_its_hold
from tests.people import make_organization

pytestmark = pytest.mark.django_db


def reserve_and_pay(count: int) -> Callable[[], object]:
    acme, project = make_organization(), offering(count)
    return lambda: allocate(acme, project, count)


def reserve_what_fits(count: int) -> Callable[[], object]:
    acme, project = make_organization(), offering(count)
    return lambda: hold(acme, project, count, mode="exact")


def give_back(count: int) -> Callable[[], object]:
    reservation = hold(make_organization(), offering(count), count)
    return lambda: release_reservation(reservation=reservation)


def pay_past_the_hold(count: int) -> Callable[[], object]:
    reservation = hold(make_organization(), offering(count), count)

    def pay() -> None:
        with past_its_hold():
            settle_offline(reservation=reservation, reference="late")

    return pay


def let_pass(count: int) -> Callable[[], object]:
    hold(make_organization(), offering(count), count)

    def sweep() -> None:
        with past_its_hold():
            assert expire_reservations() == 1

    return sweep


def cancel_and_end(count: int) -> Callable[[], object]:
    acme = make_organization()
    allocations = allocate(acme, offering(count), count)

    def end() -> None:
        cancel_allocations(organization=acme, allocations=allocations)
        with later(days=31):
            assert end_due_allocations() == count

    return end


def hand_on(count: int) -> Callable[[], object]:
    acme, other, project = make_organization(), make_organization(), offering(count)
    allocations, target = allocate(acme, project, count), offering(count)

    def hand_on() -> None:
        theirs = transfer_allocations(allocations=allocations, to=other, reason="Sold")
        moved = move_allocations(allocations=theirs, to=target, reason="Repairs")
        withdraw_allocations(allocations=moved, reason="Over")

    return hand_on


def retire(count: int) -> Callable[[], object]:
    project = offering(count)
    blocks = list(project.blocks.all())
    return lambda: retire_blocks(project=project, blocks=blocks, reason="Broken")


def offering(count: int):
    """Return a project with so many blocks of 1 kW."""
    project = make_project()
    make_blocks(project, "A", count, kw=1)
    return project


@pytest.mark.parametrize(
    "deed",
    [
        reserve_and_pay,
        reserve_what_fits,
        give_back,
        pay_past_the_hold,
        let_pass,
        cancel_and_end,
        hand_on,
        retire,
    ],
)
def test_do_not_grow_with_blocks(deed):
    counts = []
    for count in (2, 200):
        do = deed(count)
        with CaptureQueriesContext(connection) as queries:
            do()
        counts.append(len(queries))

    assert counts[0] == counts[1]

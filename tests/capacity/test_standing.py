"""What the rest of the instance sees of capacity: invariants, closing, personal data, the beat."""

from datetime import timedelta

import pytest

from apps.capacity.errors import CapacityStillHad
from apps.capacity.models import Allocation, CapacityBlock, Project, Reservation
from apps.capacity.services.ending import cancel_allocations, withdraw_allocations
from apps.capacity.services.projects import change_project
from apps.capacity.services.reserving import reserve
from apps.capacity.services.settling import settle
from apps.capacity.tasks import sweep_capacity
from apps.core.invariants import verify
from apps.core.personal import parts
from apps.tenants.services.standing import close_organization, what_keeps_open
from demo.capacity import offer_projects
from demo.waiting import wait_for_a_wall
from tests.authorization.silence import without_triggers
from tests.capacity.conftest import NOON
from tests.capacity.plants import (
    allocate,
    hold,
    make_payment,
    make_project,
    past_its_hold,
    wish,
)
from tests.people import make_organization, make_person

pytestmark = pytest.mark.django_db


def broken() -> set[str]:
    codes = {one.invariant.code: one.failures for one in verify()}
    return {code for code, failures in codes.items() if failures and code.startswith("C0")}


def forge(model, **values) -> None:
    """Change rows behind the back of every guard."""
    with without_triggers(model):
        model.objects.update(**values)


class TestInvariants:
    def test_hold_after_everything_that_can_happen(self, acme):
        project = make_project(5, 3, 2, 1)
        withdraw_allocations(allocations=allocate(acme, project, 5), reason="Over")
        hold(acme, project, 5)
        allocate(acme, project, 3)
        hold(acme, project, 2)

        assert broken() == set()

    @pytest.mark.parametrize(
        ("model", "values", "codes"),
        [
            (Allocation, {"capacity_kw": 4}, {"C01", "C02", "C04"}),
            (Project, {"allocated_kw": 4}, {"C02"}),
            (Project, {"held_kw": 0}, {"C02"}),
            (CapacityBlock, {"state": "free", "held_for": None, "held_until": None}, None),
            (Reservation, {"capacity_kw": 4}, {"C04"}),
        ],
    )
    def test_find_what_does_not_add_up(self, acme, model, values, codes):
        project = make_project(5, 3)
        allocate(acme, project, 5)
        hold(acme, project, 3)

        forge(model, **values)

        assert broken() >= (codes or {"C02", "C03"})

    def test_find_a_day_that_two_own(self, acme):
        project = make_project(5)
        first = allocate(acme, project, 5)
        withdraw_allocations(allocations=first, reason="Over")
        (second,) = allocate(acme, project, 5)
        with without_triggers(Allocation):
            before = second.effective_from - timedelta(days=2)
            Allocation.objects.filter(pk=first[0].pk).update(effective_from=before)
            assert broken() == set()
            Allocation.objects.filter(pk=second.pk).update(effective_from=before)

        assert "C01" in broken()

    def test_know_an_allocation_that_never_had_a_day(self, acme):
        project = make_project(5, starts_on=NOON.date() + timedelta(days=60))
        cancel_allocations(organization=acme, allocations=allocate(acme, project, 5))
        project.refresh_from_db()
        change_project(project, starts_on=NOON.date() + timedelta(days=7))
        allocate(acme, project, 5)

        assert broken() == set()

    def test_find_a_payment_that_is_not_his(self, acme):
        reservation = settle(reservation=hold(acme, make_project(5), 5), payment=make_payment(acme))
        forge(Reservation, payment=make_payment(make_organization()))

        assert reservation.status == "allocated"
        assert broken() == {"C05"}


class TestClosing:
    def test_waits_until_no_blocks_are_had(self, acme):
        project = make_project(5, 3)
        allocations = allocate(acme, project, 5)
        hold(acme, project, 3)

        assert what_keeps_open(organization=acme).details == {"blocks": 2}
        with pytest.raises(CapacityStillHad):
            close_organization(organization=acme, confirmation=acme.slug)

        withdraw_allocations(allocations=allocations, reason="Closing")
        with past_its_hold():
            assert not isinstance(what_keeps_open(organization=acme), CapacityStillHad)


class TestPersonalData:
    def test_has_what_a_person_reserved(self, acme):
        person = make_person()
        project = make_project(5)
        reserve(organization=acme, project=project, wish=wish(5), user=person)

        (row,) = parts()["reservations"](person)
        assert row["project__code"] == project.code


class TestTheBeat:
    def test_ends_what_is_past_its_time(self, acme):
        reservation = hold(acme, make_project(5), 5)
        with past_its_hold():
            sweep_capacity()

        reservation.refresh_from_db()
        assert reservation.status == "expired"


class TestTheDemo:
    def test_has_blocks_that_add_up(self):
        names = ("acme", "green-neighbours", "sunrise-studio")
        organizations = {name: make_organization(name=name) for name in names}

        offer_projects(NOON, organizations)
        wait_for_a_wall(NOON, organizations)

        (roof,) = Project.objects.filter(code="north-roof")
        assert (roof.blocks_kw, roof.allocated_kw, roof.held_kw) == (60, 17, 0)
        assert roof.readings.filter(posted_at__isnull=False).count() == 13  # one is a correction
        (wall,) = Project.objects.filter(code="south-wall")
        assert (wall.allocated_kw, wall.held_kw, wall.waiting_count) == (4, 4, 1)
        assert broken() == set()

"""Reserving: which blocks are taken, in each mode, and when none are."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.capacity.errors import (
    InsufficientCapacity,
    NoExactFit,
    NotInSandbox,
    OvershootNotAgreed,
    ProjectNotOpen,
    ReservationEnded,
    TooManyBlocks,
)
from apps.capacity.models import Reservation
from apps.capacity.selectors import picking
from apps.capacity.selectors.blocks import blocks_held_for
from apps.capacity.selectors.holdings import reservations_of
from apps.capacity.selectors.projects import available_capacity
from apps.capacity.services import projects
from apps.capacity.services.blocks import split_block
from apps.capacity.services.reserving import quote_reservation, release_reservation, reserve
from apps.core.clock import workers_now
from apps.tenants.errors import OrganizationNotActive
from apps.tenants.models import AuditLog, Organization
from tests.capacity.conftest import NOON
from tests.capacity.plants import (
    allocate,
    counters,
    hold,
    later,
    make_project,
    past_its_hold,
    sizes_of,
    wish,
)
from tests.people import make_organization, make_person

pytestmark = pytest.mark.django_db


class TestModes:
    """Blocks of 4, 3, 2 and 5 kW, the first being the oldest."""

    @pytest.mark.parametrize(
        ("kw", "terms", "taken"),
        [
            ("7", {}, ["4", "3"]),
            ("5", {"max_overshoot_kw": 2}, ["4", "3"]),
            ("5", {"mode": "exact"}, ["5"]),
            ("6", {"mode": "exact"}, ["4", "2"]),
            ("1", {"mode": "exact", "tolerance_kw": 1}, ["2"]),
            ("13", {"mode": "exact", "tolerance_kw": 1}, ["4", "3", "2", "5"]),
            ("8", {"mode": "best_fit"}, ["3", "5"]),
            ("13", {"mode": "best_fit", "max_overshoot_kw": 1}, ["4", "3", "2", "5"]),
            ("5", {"allow_partial": True}, ["4"]),
            ("99", {"allow_partial": True}, ["4", "3", "2", "5"]),
            ("99", {"allow_partial": True, "mode": "exact"}, ["4", "3", "2", "5"]),
            ("99", {"allow_partial": True, "mode": "best_fit"}, ["4", "3", "2", "5"]),
            ("2.5", {"allow_partial": True, "mode": "best_fit"}, ["2"]),
            ("2.5", {"allow_partial": True, "mode": "best_fit", "tolerance_kw": 1}, ["2"]),
            ("2.5", {"allow_partial": True, "mode": "exact"}, ["2"]),
        ],
    )
    def test_take_these_blocks(self, acme, kw, terms, taken):
        reservation = hold(acme, make_project(4, 3, 2, 5), kw, **terms)

        assert sizes_of(reservation) == taken
        assert reservation.capacity_kw == sum(int(size) for size in taken)

    @pytest.mark.parametrize(
        ("kw", "terms", "refusal"),
        [
            ("5", {}, OvershootNotAgreed),
            ("5", {"max_overshoot_kw": "1.999"}, OvershootNotAgreed),
            ("1", {"allow_partial": True}, OvershootNotAgreed),
            ("5", {"tolerance_kw": "2"}, OvershootNotAgreed),
            ("1", {"mode": "best_fit"}, OvershootNotAgreed),
            ("1", {"mode": "best_fit", "tolerance_kw": "1"}, OvershootNotAgreed),
            ("1", {"mode": "best_fit", "allow_partial": True}, OvershootNotAgreed),
            ("1", {"mode": "exact"}, NoExactFit),
            ("13", {"mode": "exact", "tolerance_kw": "0.999"}, NoExactFit),
            ("14.001", {}, InsufficientCapacity),
            ("14.001", {"mode": "exact"}, InsufficientCapacity),
            ("14.001", {"mode": "best_fit"}, InsufficientCapacity),
        ],
    )
    def test_take_nothing_when_it_does_not_fit(self, acme, kw, terms, refusal):
        project = make_project(4, 3, 2, 5)
        with pytest.raises(refusal):
            hold(acme, project, kw, **terms)

        assert counters(project) == ("14", "0", "0")
        assert not Reservation.objects.exists()

    def test_take_nothing_where_nothing_is(self, acme):
        for mode in ("fifo", "exact", "best_fit"):
            with pytest.raises(InsufficientCapacity):
                hold(acme, make_project(), 1, mode=mode, allow_partial=True)

    def test_say_what_the_blocks_would_be(self, acme):
        with pytest.raises(OvershootNotAgreed) as refusal:
            hold(acme, make_project(4, 3, 2, 5), 5)

        assert refusal.value.details == {
            "requested_kw": "5.000",
            "offered_kw": "7.000",
            "overshoot_kw": "2.000",
        }

    def test_have_a_limit_of_blocks(self, acme, monkeypatch):
        monkeypatch.setattr(picking, "MOST_BLOCKS", 2)
        for mode in ("fifo", "exact"):
            with pytest.raises(TooManyBlocks):
                hold(acme, make_project(1, 1, 1), 3, mode=mode)

    def test_read_further_than_one_look(self, acme, monkeypatch):
        monkeypatch.setattr("apps.capacity.selectors.blocks.AT_ONCE", 2)
        project = make_project(1, 2, 3, 4, 5)

        assert sizes_of(hold(acme, project, 15)) == ["1", "2", "3", "4", "5"]

    def test_read_further_than_one_look_in_one_place(self, acme, monkeypatch):
        monkeypatch.setattr("apps.capacity.selectors.blocks.AT_ONCE", 2)
        project = make_project(15)
        sizes = [Decimal(size) for size in (1, 2, 3, 4, 5)]
        pieces = split_block(block=project.blocks.get(), sizes=sizes)

        assert set(blocks_held_for(hold(acme, project, 15))) == set(pieces)

    def test_take_the_oldest_of_each_size(self, acme):
        project = make_project(2, 2, 3, 3)
        oldest = project.blocks.order_by("position")

        reservation = hold(acme, project, 5, mode="exact")

        assert set(blocks_held_for(reservation)) == {oldest[0], oldest[2]}


class TestReserving:
    def test_sets_blocks_aside_until_the_deadline(self, acme):
        project, person = make_project(5, 5), make_person()

        reservation = reserve(organization=acme, project=project, wish=wish(5), user=person)

        assert reservation.status == "held"
        assert reservation.hold_expires_at == workers_now() + timedelta(minutes=15)
        assert counters(project) == ("10", "0", "5")
        row = AuditLog.objects.get(action="capacity.reserve")
        assert row.object_id == reservation.public_id
        assert row.after["capacity_kw"] == "5.000"

    def test_allocates_at_once_what_costs_nothing(self, acme):
        project = make_project(5, fee=0)

        reservation = hold(acme, project, 5)

        assert reservation.status == "allocated"
        assert counters(project) == ("5", "5", "0")

    def test_gives_the_oldest_that_are_past_their_hold_before_younger_ones(self, acme):
        project = make_project(1, 2, 4)
        first = hold(acme, project, 1)
        hold(acme, project, 2)
        with past_its_hold():
            again = hold(make_organization(), project, 3)

            assert sizes_of(again) == ["1", "2"]
            assert not blocks_held_for(first).exists()
            assert reservations_of(acme, workers_now()).get(pk=first.pk).standing == "expired"
            assert counters(project) == ("7", "0", "3")

    @pytest.mark.parametrize("mode", ["exact", "best_fit"])
    def test_combines_what_is_past_its_hold_in_each_mode(self, acme, mode):
        project = make_project(1, 2, 4)
        hold(acme, project, 3)
        with past_its_hold():
            assert sizes_of(hold(acme, project, 5, mode=mode)) == ["1", "4"]

    def test_refuses_a_project_that_is_not_open(self, acme):
        for status in ("draft", "closed"):
            with pytest.raises(ProjectNotOpen):
                hold(acme, make_project(5, status=status), 5)

    def test_refuses_a_project_whose_last_day_is_past(self, acme):
        project = make_project(5, 3, ends_on=NOON.date())
        hold(acme, project, 5)
        with later(days=1), pytest.raises(ProjectNotOpen):
            hold(acme, project, 3)

    def test_refuses_a_sandbox(self, acme):
        Organization.objects.update(clock_at=workers_now())
        with pytest.raises(NotInSandbox):
            hold(acme, make_project(5), 5)

    def test_refuses_an_organization_that_is_not_active(self, acme):
        project = make_project(5)
        Organization.objects.update(is_active=False)
        with pytest.raises(OrganizationNotActive):
            hold(acme, project, 5)


class TestQuotes:
    def test_show_what_a_reservation_would_take_and_take_nothing(self, acme):
        project = make_project(4, 3, 2, 5, customer_cap_kw=6)

        quote = quote_reservation(organization=acme, project=project, wish=wish(5))

        assert (quote.choice.kw, quote.choice.overshoot_kw) == (7, 2)
        assert not quote.choice.is_agreed
        assert not quote.is_within_cap
        assert quote.monthly_fee == 7 * 1250
        assert counters(project) == ("14", "0", "0")

    def test_are_what_a_reservation_then_takes(self, acme):
        project = make_project(4, 3, 2, 5)
        hold(acme, project, 4)
        with past_its_hold():
            for terms in ({"kw": 7}, {"kw": 8, "mode": "best_fit"}):
                asked = wish(**terms)
                quote = quote_reservation(organization=acme, project=project, wish=asked)
                reservation = reserve(organization=acme, project=project, wish=asked)

                chosen = {piece.block_id for piece in quote.choice.pieces}
                assert chosen == {block.pk for block in blocks_held_for(reservation)}
                release_reservation(reservation=reservation)

    def test_are_of_projects_that_are_open(self, acme):
        for status in ("draft", "closed"):
            project = make_project(5, status=status)
            with pytest.raises(ProjectNotOpen):
                quote_reservation(organization=acme, project=project, wish=wish(5))


class TestReleasing:
    def test_gives_back_what_is_held_once(self, acme):
        project = make_project(5, 3)
        reservation = hold(acme, project, 5)

        for _ in range(2):
            assert release_reservation(reservation=reservation).status == "released"

        assert counters(project) == ("8", "0", "0")
        assert available_capacity(project) == 8

    def test_leaves_blocks_that_another_has_by_now(self, acme):
        project = make_project(5)
        reservation = hold(acme, project, 5)
        with past_its_hold():
            another = hold(make_organization(), project, 5)
            release_reservation(reservation=reservation)

        assert sizes_of(another) == ["5"]
        assert counters(project) == ("5", "0", "5")

    def test_refuses_what_was_allocated(self, acme):
        (allocation,) = allocate(acme, make_project(5), 5)
        with pytest.raises(ReservationEnded):
            release_reservation(reservation=allocation.reservation)


class TestClosedProjects:
    def test_keep_what_is_allocated(self, acme):
        project = make_project(5)
        (allocation,) = allocate(acme, project, 5)
        projects.change_project(project, status="closed")

        allocation.refresh_from_db()
        assert allocation.released_at is None

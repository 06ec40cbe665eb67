"""What comes free is offered to those who wait, once, and nobody is overtaken."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from apps.capacity.errors import (
    OthersWait,
)
from apps.capacity.models import Project, WaitlistEntry
from apps.capacity.selectors.waiting import entries_of
from apps.capacity.services import blocks, counting, projects
from apps.capacity.services.offering import offer_blocks, sweep
from apps.capacity.services.reserving import quote_reservation, release_reservation
from apps.capacity.services.settling import settle, settle_offline
from apps.capacity.services.sweeping import expire_reservations
from apps.capacity.services.waiting import leave
from apps.capacity.tasks import offer_blocks as offer_task
from apps.core.clock import workers_now
from apps.tenants.models import Organization
from tests.capacity.conftest import NOON
from tests.capacity.lines import (
    free,
    full_project,
    offered,
    position,
    statuses,
    wait,
)
from tests.capacity.plants import (
    add_block,
    counters,
    hold,
    later,
    make_payment,
    make_project,
    past_its_hold,
    sizes_of,
    wish,
)
from tests.mails import send
from tests.people import make_organization, make_person

pytestmark = pytest.mark.django_db
TWO_DAYS = {"hours": 48}


@pytest.fixture
def other():
    return make_organization()


class TestOffers:
    def test_are_held_for_their_window(self, acme):
        entry = offered(acme, 5, offer_hours=3)

        assert (entry.status, entry.offered_at) == ("offered", NOON)
        assert entry.reservation.organization == acme
        assert entry.reservation.hold_expires_at.hour == NOON.hour + 3
        assert counters(entry.project) == ("5", "0", "5")

    def test_go_to_who_came_first(self, acme, other):
        project, allocations = full_project(5, 5)
        first, second = wait(acme, project, 5), wait(other, project, 5)
        free(allocations[:1])
        offer_blocks(project.pk)

        assert statuses(first, second) == ["offered", "waiting"]

    def test_of_little_do_not_overtake_who_wants_more(self, acme, other):
        project, allocations = full_project(5, 5)
        first, second = wait(acme, project, 10), wait(other, project, 5)
        free(allocations[:1])
        offer_blocks(project.pk)
        assert statuses(first, second) == ["waiting", "waiting"]

        free(allocations[1:])
        offer_blocks(project.pk)

        assert statuses(first, second) == ["offered", "waiting"]

    def test_are_of_less_to_who_allows_it(self, acme):
        project, allocations = full_project(5, 5)
        entry = wait(acme, project, 10, allow_partial=True)
        free(allocations[:1])
        offer_blocks(project.pk)

        entry.refresh_from_db()
        assert sizes_of(entry.reservation) == ["5"]

    def test_pass_over_whom_no_block_fits(self, acme, other):
        project, allocations = full_project(5)
        first, second = wait(acme, project, 4), wait(other, project, 5)
        free(allocations)
        offer_blocks(project.pk)

        assert statuses(first, second) == ["waiting", "offered"]
        first.refresh_from_db()
        assert (first.passed_over_at, position(first)) == (NOON, 1)

    def test_pass_over_who_may_not_have_more(self, acme, other):
        project, allocations = full_project(5)
        first, second = wait(acme, project, 5), wait(other, project, 5)
        small = projects.create_customer_class(name="Small")
        projects.classify_customer(organization=acme, customer_class=small)
        projects.set_class_cap(project=project, customer_class=small, customer_cap_kw=Decimal(4))
        free(allocations)
        offer_blocks(project.pk)

        assert statuses(first, second) == ["waiting", "offered"]

    @pytest.mark.parametrize("why", ["blocks were retired", "his cap was lowered"])
    def test_pass_over_who_waits_for_what_cannot_come(self, acme, other, why):
        project, allocations = full_project(5, 5)
        first, second = wait(acme, project, 10), wait(other, project, 5)
        free(allocations[:1])
        if why == "blocks were retired":
            freed = allocations[0].block
            blocks.retire_blocks(project=project, blocks=[freed], reason="Broken")
            free(allocations[1:])
        else:
            small = projects.create_customer_class(name="Small")
            projects.classify_customer(organization=acme, customer_class=small)
            cap = {"customer_class": small, "customer_cap_kw": Decimal(4)}
            projects.set_class_cap(project=project, **cap)
        offer_blocks(project.pk)

        assert statuses(first, second) == ["waiting", "offered"]
        first.refresh_from_db()
        assert (first.passed_over_at, position(first)) == (NOON, 1)

    def test_of_what_costs_nothing_are_taken_at_once(self, acme):
        project = make_project(5, fee=0)
        (allocation,) = hold(make_organization(), project, 5).allocations.all()
        entry = wait(acme, project, 5)
        free([allocation])
        offer_blocks(project.pk)

        entry.refresh_from_db()
        assert (entry.status, entry.ended_at) == ("taken", NOON)
        assert entry.reservation.allocations.get().organization == acme

    def test_are_not_made_of_a_closed_project(self, acme):
        project, allocations = full_project(5)
        entry = wait(acme, project, 5)
        projects.change_project(project, status="closed")
        free(allocations)

        assert offer_blocks(project.pk) == 0
        projects.change_project(project, status="open")
        assert sweep() == 1
        assert statuses(entry) == ["offered"]

    def test_leave_out_who_is_closed(self, acme, other):
        project, allocations = full_project(5)
        first, second = wait(acme, project, 5), wait(other, project, 5)
        Organization.objects.filter(pk=acme.pk).update(is_active=False)
        free(allocations)
        offer_blocks(project.pk)

        assert statuses(first, second) == ["withdrawn", "offered"]

    @pytest.mark.parametrize("how", ["paid", "offline"])
    def test_become_allocations(self, acme, how):
        entry = offered(acme, 5)
        if how == "paid":
            settle(reservation=entry.reservation, payment=make_payment(acme))
        else:
            settle_offline(reservation=entry.reservation, reference="transfer 1")

        entry.refresh_from_db()
        assert (entry.status, entry.ended_at) == ("taken", NOON)

    def test_are_told_once(self, acme, mailoutbox):
        owner = make_person()
        entry = offered(make_organization(owner=owner), 5)

        assert [send("capacity_offers") for _ in range(2)] == [1, 0]
        (mail,) = mailoutbox
        assert mail.to == [owner.email]
        assert "5 kW of" in mail.body
        assert "23 November 2026, 12:00 UTC" in mail.body
        assert f"/o/{entry.organization.slug}/capacity/waiting/" in mail.body

    def test_of_what_costs_nothing_are_told_as_such(self, mailoutbox):
        project = make_project(5, fee=0)
        (allocation,) = hold(make_organization(), project, 5).allocations.all()
        wait(make_organization(owner=make_person()), project, 5)
        free([allocation])
        offer_blocks(project.pk)

        assert send("capacity_offers") == 1
        assert "They cost nothing" in mailoutbox[0].body

    @pytest.mark.parametrize("over", ["declined", "paid"])
    def test_that_are_over_are_not_told(self, mailoutbox, over):
        entry = offered(make_organization(owner=make_person()), 5)
        if over == "declined":
            leave(entry=entry)
        else:
            settle_offline(reservation=entry.reservation, reference="transfer 1")

        assert send("capacity_offers") == 0
        assert mailoutbox == []


class TestNoSecondOffer:
    @pytest.mark.parametrize("end", ["lapsed", "declined"])
    def test_is_made_to_who_did_not_take_one(self, acme, other, end):
        entry = offered(acme, 5)
        project = entry.project
        next_one = wait(other, project, 5)
        with later(**TWO_DAYS):
            if end == "lapsed":
                expire_reservations()
            else:
                release_reservation(reservation=entry.reservation)
            offer_blocks(project.pk)
            assert statuses(entry, next_one) == [end, "offered"]
            again = wait(acme, project, 5)

        assert position(again) == 1

    def test_is_possible_in_the_database(self, acme):
        entry = leave(entry=offered(acme, 5))
        for change in ({"status": "offered", "ended_at": None}, {"organization": None}):
            rows = WaitlistEntry.objects.filter(pk=entry.pk)
            with pytest.raises(DatabaseError, match="capacity_waitlistentry"), transaction.atomic():
                rows.update(**change)
        with pytest.raises(DatabaseError, match="capacity_waitlistentry"), transaction.atomic():
            WaitlistEntry.objects.all().delete()

    def test_window_that_passed_has_lapsed_before_anybody_writes_it(self, acme):
        entry = offered(acme, 5)
        with later(**TWO_DAYS):
            shown = entries_of(acme, workers_now()).get(pk=entry.pk)
            assert (shown.status, shown.standing) == ("offered", "lapsed")


class TestWhatComesFree:
    @pytest.fixture
    def rung(self, monkeypatch) -> list[str]:
        """The projects at which workers are asked to look, once the transaction commits."""
        found: list[str] = []
        monkeypatch.setattr(counting, "enqueue", lambda task, project_id: found.append(project_id))
        return found

    @pytest.mark.parametrize("how", ["released", "expired", "taken anew", "ended", "made"])
    def test_goes_on_at_once(self, acme, other, rung, how):
        project = make_project(5)
        held = hold(other, project, 5)
        if how == "ended":
            settle_offline(reservation=held, reference="transfer 1")
        entry = wait(acme, project, 5)
        rung.clear()
        with past_its_hold():
            match how:
                case "released":
                    release_reservation(reservation=held)
                case "expired":
                    expire_reservations()
                case "taken anew":  # whoever comes finds that the hold is over
                    wait(make_organization(), project, 5)
                case "ended":
                    free(list(held.allocations.all()))
                case _:
                    add_block(project, 5)
            offer_task(rung[0])

        assert set(rung) == {str(project.pk)}
        assert statuses(entry) == ["offered"]

    def test_goes_to_who_is_behind_one_that_leaves(self, acme, other, rung):
        project, allocations = full_project(5, 5)
        first, second = wait(acme, project, 10), wait(other, project, 5)
        free(allocations[:1])
        rung.clear()
        leave(entry=first)
        offer_task(rung[0])

        assert statuses(first, second) == ["withdrawn", "offered"]

    def test_rings_for_nobody_when_nobody_waits(self, other, rung):
        release_reservation(reservation=hold(other, make_project(5), 5))

        assert rung == []

    def test_is_not_sold_past_those_who_wait(self, acme, other):
        project, allocations = full_project(5, 5)
        wait(acme, project, 10)
        free(allocations[:1])

        with pytest.raises(OthersWait, match="waiting list"):
            hold(other, project, 5)
        with pytest.raises(OthersWait):
            quote_reservation(
                organization=other, project=Project.objects.get(pk=project.pk), wish=wish(5)
            )
        assert counters(project) == ("10", "5", "0")

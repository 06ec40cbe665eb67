"""Blocks that come free while others wait for them: real connections, real commits."""

import pytest

from apps.capacity.errors import OthersWait
from apps.capacity.models import Reservation, WaitlistEntry
from apps.capacity.services.offering import offer_blocks
from tests.capacity.lines import free, full_project, statuses, wait
from tests.capacity.plants import counters, hold
from tests.invariants import broken
from tests.people import make_organization
from tests.races.outcomes import tried
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


class TestFreedBlocks:
    def test_go_to_the_first_of_those_who_wait_and_to_nobody_twice(self):
        project, allocations = full_project(1, 1, 1, 1)
        entries = [wait(make_organization(name=f"W {number}"), project, 1) for number in range(8)]
        newcomer = make_organization(name="Newcomer")

        outcomes = at_once(
            [
                *(lambda one=one: free([one]) for one in allocations),
                *[lambda: offer_blocks(project.pk)] * 3,
                lambda: tried(lambda: hold(newcomer, project, 1)),
            ]
        )
        offer_blocks(project.pk)  # what came free after the last of them had looked

        assert isinstance(outcomes[-1], OthersWait)
        assert statuses(*entries) == ["offered"] * 4 + ["waiting"] * 4
        assert counters(project) == ("4", "0", "4")
        assert Reservation.objects.filter(status="held").count() == 4
        assert broken() == []

    def test_go_to_those_who_join_at_once_in_the_order_of_their_places(self):
        project, allocations = full_project(1, 1)
        waiting = [make_organization(name=f"W {number}") for number in range(4)]
        at_once([lambda one=one: wait(one, project, 1) for one in waiting])
        free(allocations)

        at_once([lambda: offer_blocks(project.pk)] * 2)

        in_order = WaitlistEntry.objects.order_by("created_at", "id")
        assert statuses(*in_order) == ["offered", "offered", "waiting", "waiting"]
        project.refresh_from_db()
        assert project.waiting_count == 2
        assert broken() == []

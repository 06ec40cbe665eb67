"""
Defect 7 of the source documents, for blocks; for credits: tests/credits.

Rows of the former shape, from before blocks were tracked: tests/capacity/test_importing.py.
"""

import pytest

from apps.capacity.errors import InsufficientCapacity, OvershootNotAgreed
from apps.capacity.models import Allocation
from apps.capacity.services.ending import withdraw_allocations
from tests.capacity.conftest import NOON
from tests.capacity.plants import allocate, counters, hold, later, make_project
from tests.people import make_organization

pytestmark = pytest.mark.django_db


class TestDefect7:
    """What was available was picked in one step and taken in another, and too much of it."""

    def test_what_is_picked_is_taken_in_the_same_step(self):
        """At once by several: tests/races/test_capacity.py."""
        project = make_project(5)
        reservation = hold(make_organization(), project, 5)

        assert project.blocks.get().held_for == reservation.pk
        with pytest.raises(InsufficientCapacity):
            hold(make_organization(), project, 5)

    def test_unequal_blocks_give_no_more_than_was_agreed_to(self):
        acme, project = make_organization(), make_project(4, 3)
        with pytest.raises(OvershootNotAgreed):
            hold(acme, project, 5)

        assert hold(acme, project, 5, max_overshoot_kw="2").capacity_kw == 7
        assert counters(project) == ("7", "0", "7")

    def test_a_released_block_keeps_its_history_and_is_given_again(self):
        project = make_project(5)
        first = allocate(make_organization(), project, 5)
        with later(days=1):
            withdraw_allocations(allocations=first, reason="Moved away")
            (second,) = allocate(make_organization(), project, 5)

        former, present = Allocation.objects.order_by("effective_from")
        assert former.block == present.block == second.block
        assert (former.effective_from, former.effective_to) == (NOON.date(), second.effective_from)
        assert former.organization != present.organization
        assert (former.released_at is None, present.released_at is None) == (False, True)

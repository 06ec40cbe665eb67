"""Blocks: made by range, retired, split and merged, and never changed or deleted."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from apps.capacity.errors import BlockInUse, BlockRefused
from apps.capacity.models import CapacityBlock
from apps.capacity.selectors.blocks import block_of, blocks_held_for, blocks_of, project_of_block
from apps.capacity.services import blocks
from apps.capacity.services.blocks import MOST_AT_ONCE, Range
from apps.core.errors import NotFound
from apps.core.ids import new_id
from tests.capacity.conftest import NOON
from tests.capacity.plants import add_block, allocate, counters, hold, make_project, past_its_hold
from tests.people import make_organization

pytestmark = pytest.mark.django_db


def serials(project) -> list[str]:
    free = blocks_of(project, NOON).order_by("position", "id")
    return list(free.values_list("serial", flat=True))


class TestRanges:
    def test_become_blocks_at_the_end_of_the_queue(self):
        project = make_project()
        for prefix, first in (("N-", 9), ("A-", 1)):
            blocks.create_blocks(
                project=project,
                range_=Range(prefix, first, first + 1, digits=3),
                capacity_kw=Decimal("2.5"),
            )

        assert serials(project) == ["N-009", "N-010", "A-001", "A-002"]
        assert counters(project) == ("10", "0", "0")

    @pytest.mark.parametrize(
        ("terms", "kw", "field"),
        [
            (("B", 2, 1), "1", "last"),
            (("B", -1, 1), "1", "last"),
            (("B", 1, MOST_AT_ONCE + 1), "1", "last"),
            (("B" * 50, 1, 1), "1", "serial"),
            (("OLD", 1, 1), "1", "serial"),
            (("a/", 1, 1), "1", "serial"),
            (("B", 1, 1), "0", "capacity_kw"),
            (("B", 1, 1), "0.0001", "capacity_kw"),
            (("B", 1, 3), "4", "capacity_kw"),
        ],
    )
    def test_refuse_what_cannot_be(self, terms, kw, field):
        project = make_project(capacity_kw=Decimal(12))
        blocks.create_blocks(project=project, range_=Range("OLD", 1, 1), capacity_kw=Decimal(1))

        with pytest.raises(BlockRefused) as refusal:
            blocks.create_blocks(project=project, range_=Range(*terms), capacity_kw=Decimal(kw))

        assert refusal.value.details["field"] == field
        assert counters(project) == ("1", "0", "0")


class TestChangingBlocks:
    def test_retires_what_is_free(self):
        project = make_project(5, 3)
        oldest = project.blocks.get(capacity_kw=5)

        blocks.retire_blocks(project=project, blocks=[oldest], reason="Broken")

        assert counters(project) == ("3", "0", "0")
        assert blocks_of(project, NOON).count() == 1

    def test_splits_a_block_into_pieces_in_its_place(self):
        project = make_project(6, 1)
        oldest, youngest = project.blocks.order_by("position")

        pieces = blocks.split_block(block=oldest, sizes=[Decimal("2.5"), Decimal("3.5")])

        assert serials(project) == [f"{oldest}.1", f"{oldest}.2", youngest.serial]
        assert {piece.split_from for piece in pieces} == {oldest}
        assert counters(project) == ("7", "0", "0")

    def test_merges_blocks_in_the_place_of_the_oldest(self):
        project = make_project(2, 1, 3)
        first, _, last = project.blocks.order_by("position")

        merged = blocks.merge_blocks(project=project, blocks=[last, first], serial="BIG")

        assert merged.capacity_kw == 5
        assert serials(project)[0] == "BIG"
        assert set(merged.parts.all()) == {first, last}
        assert counters(project) == ("6", "0", "0")

    @pytest.mark.parametrize(
        "sizes", [["6"], ["3", "2"], ["7", "-1"], ["0.0625"] * 96, ["1e30", "-1e30", "6"]]
    )
    def test_refuses_pieces_that_do_not_make_the_block(self, sizes):
        block = add_block(make_project(), 6)
        with pytest.raises(BlockRefused):
            blocks.split_block(block=block, sizes=[Decimal(size) for size in sizes])

    def test_refuses_to_merge_less_than_two_or_blocks_of_two_projects(self):
        project, other = make_project(1, 1), make_project(1)
        (one, _), (foreign,) = project.blocks.all(), other.blocks.all()
        for chosen in ([one], [one, foreign], []):
            with pytest.raises(BlockRefused):
                blocks.merge_blocks(project=project, blocks=chosen, serial="BIG")

    def test_leaves_alone_what_somebody_has(self):
        acme, project = make_organization(), make_project(5, 3)
        (allocation,) = allocate(acme, project, 5)
        held = blocks_held_for(hold(acme, project, 3)).get()

        for block in (allocation.block, held):
            with pytest.raises(BlockInUse):
                blocks.retire_blocks(project=project, blocks=[block], reason="Broken")
            with pytest.raises(BlockInUse):
                blocks.split_block(block=block, sizes=[Decimal(1), block.capacity_kw - 1])
        with past_its_hold():
            blocks.retire_blocks(project=project, blocks=[held], reason="Broken")
        assert counters(project) == ("5", "5", "0")


class TestBlocks:
    @pytest.mark.parametrize("change", [{"capacity_kw": 9}, {"serial": "X"}, {"position": 9}])
    def test_keep_what_they_are(self, change):
        make_project(5)
        with pytest.raises(DatabaseError), transaction.atomic():
            CapacityBlock.objects.update(**change)

    def test_stay(self):
        make_project(5)
        with pytest.raises(DatabaseError), transaction.atomic():
            CapacityBlock.objects.all().delete()

    def test_say_of_which_project_they_are(self):
        project = make_project(5)

        assert project_of_block(project.blocks.get().pk) == project
        with pytest.raises(NotFound):
            project_of_block(new_id())
        draft = make_project(5, status="draft")
        with pytest.raises(NotFound):
            project_of_block(draft.blocks.get().pk)

    def test_are_free_when_their_hold_has_passed(self):
        project = make_project(5)
        block = blocks_held_for(hold(make_organization(), project, 5)).get()
        with past_its_hold():
            assert block_of(project, block.serial).standing == "free"
        assert block_of(project, block.serial).standing == "held"

    def test_are_not_shown_when_they_are_retired(self):
        project = make_project(5)
        block = project.blocks.get()
        blocks.retire_blocks(project=project, blocks=[block], reason="Broken")
        with pytest.raises(NotFound):
            block_of(project, block.serial)

"""Blocks: the pieces in which a project's capacity is given to customers."""

from django.db import models
from django.db.models import Q

from apps.capacity.models.projects import Project, kilowatts
from apps.core.models import Row
from apps.core.walls import Wall

LONGEST_SERIAL = 50  # characters


class CapacityBlock(Row):
    """
    A piece of a project, given to one customer at a time or to none.

    Its size never changes and it is never deleted: what is split or merged is retired, and
    the new blocks lead back to it. Its state is what its live allocation or hold says
    (`manage.py verify` compares them). A hold that is past its time is as good as free, even
    before anybody has written that down.
    """

    PREFIX = "blk"
    WALL = Wall(whose="", web="SELECT, UPDATE (state, held_for, held_until)")

    class State(models.TextChoices):
        """Who can have it."""

        FREE = "free"
        HELD = "held"  # for a reservation, until held_until
        ALLOCATED = "allocated"  # has one live allocation
        RETIRED = "retired"  # nobody any more

    project = models.ForeignKey(Project, models.PROTECT, related_name="blocks")
    serial = models.CharField(max_length=LONGEST_SERIAL)  # as it is called on the plant
    capacity_kw = kilowatts()
    # The oldest goes first; pieces of a block keep its place. Of one place, the lower id does.
    position = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.FREE)
    # The id of the reservation. No foreign key: blocks are everybody's, reservations are not.
    held_for = models.UUIDField(null=True, blank=True, editable=False)
    held_until = models.DateTimeField(null=True, blank=True)  # exclusive
    retired_at = models.DateTimeField(null=True, blank=True)
    split_from = models.ForeignKey(
        "self", models.PROTECT, related_name="pieces", null=True, blank=True
    )
    merged_into = models.ForeignKey(
        "self", models.PROTECT, related_name="parts", null=True, blank=True
    )

    class Meta:
        ordering = ["project", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "serial"], name="capacity_block_has_its_serial"
            ),
            models.CheckConstraint(
                name="capacity_block_has_a_size", condition=Q(capacity_kw__gt=0)
            ),
            models.CheckConstraint(
                name="capacity_block_state_is_known",
                condition=Q(state__in=["free", "held", "allocated", "retired"]),
            ),
            models.CheckConstraint(
                name="capacity_held_block_says_for_what",
                condition=Q(state="held", held_for__isnull=False, held_until__isnull=False)
                | ~Q(state="held") & Q(held_for=None, held_until=None),
            ),
            models.CheckConstraint(
                name="capacity_retired_block_says_when",
                condition=Q(state="retired", retired_at__isnull=False)
                | ~Q(state="retired") & Q(retired_at=None, merged_into=None),
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "position", "id"],
                condition=Q(state="free"),
                name="capacity_free_blocks_by_age",
            ),
            models.Index(
                fields=["project", "capacity_kw", "position", "id"],
                condition=Q(state="free"),
                name="capacity_free_blocks_by_size",
            ),
            models.Index(
                fields=["project", "held_until"],
                condition=Q(state="held"),
                name="capacity_held_blocks",
            ),
            models.Index(
                fields=["held_for"],
                condition=Q(held_for__isnull=False),
                name="capacity_blocks_of_reservation",
            ),
            models.Index(fields=["project", "position", "id"], name="capacity_blocks_by_age"),
        ]

    def __str__(self) -> str:
        return self.serial

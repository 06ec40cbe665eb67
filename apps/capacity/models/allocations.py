"""Allocations: which block belongs to which customer, from when until when."""

from django.db import models
from django.db.models import F, Q

from apps.capacity.models.blocks import CapacityBlock
from apps.capacity.models.projects import kilowatts
from apps.capacity.models.reservations import Reservation
from apps.core.models import Row
from apps.tenants.models import Organization


class Allocation(Row):
    """
    One block in the hands of one customer: history is kept, and one of a block is live.

    Its project is that of its block, its fee follows from the project's rate, and its payment
    is that of its reservation: none of these is stored twice. One that was handed on leads back
    to that by `follows`, and one that came by a move by the audit log.
    """

    PREFIX = "alc"

    class Ending(models.TextChoices):
        """Why it ends, or ended."""

        CANCELLED = "cancelled"  # by the customer, with notice
        WITHDRAWN = "withdrawn"  # by staff, with a reason
        TRANSFERRED = "transferred"  # to another organization
        MOVED = "moved"  # to another project

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    block = models.ForeignKey(
        CapacityBlock, models.PROTECT, related_name="allocations", db_index=False
    )
    capacity_kw = kilowatts()  # of the block
    reservation = models.ForeignKey(  # None: it was handed on, moved or imported, not reserved
        Reservation, models.PROTECT, related_name="allocations", null=True, blank=True
    )
    follows = models.ForeignKey(  # the allocation in whose place this one came
        "self", models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    # Of the former system that it was imported from; further blocks of one row add /2, /3 ….
    former_id = models.CharField(max_length=110, blank=True, default="", editable=False)
    effective_from = models.DateField()  # the first day that is his, UTC
    effective_to = models.DateField(null=True, blank=True)  # the first that is not; None: open
    ending = models.CharField(max_length=12, choices=Ending, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)  # None: live, also under notice

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["block"],
                condition=Q(released_at=None),
                name="capacity_block_has_one_live_allocation",
            ),
            models.UniqueConstraint(
                fields=["former_id"],
                condition=~Q(former_id=""),
                name="capacity_allocation_is_imported_once",
            ),
            models.CheckConstraint(
                name="capacity_allocation_has_a_size", condition=Q(capacity_kw__gt=0)
            ),
            models.CheckConstraint(
                name="capacity_allocation_ends_after_it_began",
                condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")),
            ),
            models.CheckConstraint(
                name="capacity_ending_allocation_says_why",
                condition=Q(effective_to=None, ending="")
                | Q(
                    effective_to__isnull=False,
                    ending__in=["cancelled", "withdrawn", "transferred", "moved"],
                ),
            ),
            models.CheckConstraint(
                name="capacity_released_allocation_has_an_end",
                condition=Q(released_at=None) | Q(effective_to__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"], name="capacity_allocations_of_org"
            ),
            models.Index(fields=["block", "effective_from"], name="capacity_history_of_block"),
            models.Index(
                fields=["effective_to"],
                condition=Q(released_at=None, effective_to__isnull=False),
                name="capacity_allocations_to_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.block} from {self.effective_from}"

"""Reservations: blocks set aside for a customer while he pays."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.billing.models import Payment
from apps.capacity.models.projects import Project, kilowatts
from apps.core.models import Row
from apps.core.walls import Wall
from apps.tenants.models import Organization


class Mode(models.TextChoices):
    """Which of the free blocks are taken."""

    FIFO = "fifo"  # the oldest, one after the other
    EXACT = "exact"  # those that add up to what was asked for, within the tolerance
    BEST_FIT = "best_fit"  # those that go beyond what was asked for by the least


class Reservation(Row):
    """
    What a customer asked for, and what became of it.

    While it is held its blocks name it. The end is final, except that one which was not paid
    in time can still be paid, as long as there are blocks for it.
    """

    PREFIX = "rsv"
    WALL = Wall(web="SELECT, INSERT, UPDATE")

    class Status(models.TextChoices):
        """How far it has come."""

        HELD = "held"  # until hold_expires_at; past that it is expired, written down or not
        ALLOCATED = "allocated"
        RELEASED = "released"  # the customer gave it back
        EXPIRED = "expired"
        LATE = "late"  # it was paid when its blocks were gone: the money must go back

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    project = models.ForeignKey(Project, models.PROTECT, related_name="+")
    user = models.ForeignKey(  # who asked; None: the waiting list
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    requested_kw = kilowatts()
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.FIFO)
    allow_partial = models.BooleanField(default=False)
    tolerance_kw = kilowatts(default=Decimal(0))  # of an exact fit, both ways
    max_overshoot_kw = kilowatts(default=Decimal(0))  # agreed to beyond what was asked for
    capacity_kw = kilowatts()  # of the blocks that were taken
    status = models.CharField(max_length=10, choices=Status, default=Status.HELD)
    hold_expires_at = models.DateTimeField()  # exclusive
    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    offline_reference = models.CharField(max_length=200, blank=True)  # of a payment elsewhere
    paid_at = models.DateTimeField(null=True, blank=True)  # None as well: it costs nothing
    ended_at = models.DateTimeField(null=True, blank=True)  # when it was held no more

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(payment__isnull=False),
                name="capacity_payment_pays_one_reservation",
            ),
            models.CheckConstraint(
                name="capacity_reservation_can_be",
                condition=Q(requested_kw__gt=0, capacity_kw__gt=0)
                & Q(tolerance_kw__gte=0, max_overshoot_kw__gte=0)
                & Q(mode__in=["fifo", "exact", "best_fit"]),
            ),
            models.CheckConstraint(
                name="capacity_reservation_status_is_known",
                condition=Q(status__in=["held", "allocated", "released", "expired", "late"]),
            ),
            models.CheckConstraint(
                name="capacity_ended_reservation_says_when",
                condition=Q(status="held", ended_at=None)
                | ~Q(status="held") & Q(ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="capacity_reservation_is_paid_once",
                condition=(
                    Q(paid_at=None, offline_reference="") & ~Q(status="late")
                    | Q(paid_at__isnull=False, status__in=["allocated", "late"])
                    & (
                        Q(payment__isnull=False, offline_reference="")
                        | Q(payment=None) & ~Q(offline_reference="")
                    )
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"],
                name="capacity_reservations_of_org",
            ),
            models.Index(
                fields=["hold_expires_at"],
                condition=Q(status="held"),
                name="capacity_reservations_held",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.capacity_kw} kW {self.status}"

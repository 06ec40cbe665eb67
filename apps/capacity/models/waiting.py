"""The waiting list of a project: first come, first served."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.capacity.models.projects import Project, kilowatts
from apps.capacity.models.reservations import Mode, Reservation
from apps.core.models import Mailed
from apps.core.walls import Wall
from apps.tenants.models import Organization


class WaitlistEntry(Mailed):
    """
    A customer who waits for blocks of a project, in the order of coming.

    `created_at` is read under the lock of the project, so that no two come at once. What is
    offered to him is a reservation, held for the offer's window, and a mail tells him. Who lets
    an offer pass or declines it is not offered a second one: he may come again, at the end.
    """

    PREFIX = "wle"
    WALL = Wall(web="SELECT, INSERT, UPDATE")

    class Status(models.TextChoices):
        """How far it has come; all but the first two are final."""

        WAITING = "waiting"
        OFFERED = "offered"  # the reservation is held until hold_expires_at
        TAKEN = "taken"  # it became allocations
        DECLINED = "declined"
        LAPSED = "lapsed"  # the window of the offer passed
        WITHDRAWN = "withdrawn"  # left while he waited

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    project = models.ForeignKey(Project, models.PROTECT, related_name="+")
    user = models.ForeignKey(  # who joined; None: a reservation that was paid too late
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    requested_kw = kilowatts()
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.FIFO)
    allow_partial = models.BooleanField(default=False)
    tolerance_kw = kilowatts(default=Decimal(0))  # of an exact fit, both ways
    max_overshoot_kw = kilowatts(default=Decimal(0))  # agreed to beyond what was asked for
    comes_first = models.BooleanField(default=False)  # before all others: he paid, too late
    # When somebody behind him was served, because nothing that was free fitted his wish.
    passed_over_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    reservation = models.ForeignKey(
        Reservation, models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )
    offered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "project"],
                condition=Q(status__in=["waiting", "offered"]),
                name="capacity_customer_waits_once",
            ),
            models.UniqueConstraint(
                fields=["reservation"],
                condition=Q(reservation__isnull=False),
                name="capacity_offer_is_one_reservation",
            ),
            models.CheckConstraint(
                name="capacity_entry_asks_for_something",
                condition=Q(requested_kw__gt=0, tolerance_kw__gte=0, max_overshoot_kw__gte=0)
                & Q(mode__in=["fifo", "exact", "best_fit"]),
            ),
            models.CheckConstraint(
                name="capacity_entry_is_offered_before_it_is_taken",
                condition=Q(status__in=["waiting", "withdrawn"], reservation=None, offered_at=None)
                | Q(
                    status__in=["offered", "taken", "declined", "lapsed"],
                    reservation__isnull=False,
                    offered_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="capacity_ended_entry_says_when",
                condition=Q(status__in=["waiting", "offered"], ended_at=None)
                | ~Q(status__in=["waiting", "offered"]) & Q(ended_at__isnull=False),
            ),
        ]
        indexes = [
            *Mailed.Meta.indexes,
            models.Index(
                *(F("project"), F("comes_first").desc(), F("created_at"), F("id")),
                condition=Q(status="waiting"),
                name="capacity_waiting_in_line",
            ),
            models.Index(
                fields=["organization", "-created_at", "-id"], name="capacity_entries_of_org"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requested_kw} kW of {self.project}, {self.status}"

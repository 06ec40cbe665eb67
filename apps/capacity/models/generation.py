"""What projects generate, and whose it is."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q

from apps.capacity.models.allocations import Allocation
from apps.capacity.models.projects import READ_BY_ALL, Project
from apps.core.models import Row
from apps.core.walls import Wall
from apps.tenants.models import Organization


def percents(**options: Any) -> "models.DecimalField[Decimal, Decimal]":
    """Return a column of percent, to the thousandth."""
    return models.DecimalField(max_digits=6, decimal_places=3, **options)


class GenerationReading(Row):
    """
    What a project generated from one day to another, both in it. A correction is one more reading.

    Its energy is divided once: shares and `banked_wh` add up to `energy_wh`.
    """

    PREFIX = "gen"
    WALL = READ_BY_ALL

    class Source(models.TextChoices):
        """How it came here."""

        API = "api"
        CSV = "csv"
        STAFF = "staff"

    project = models.ForeignKey(Project, models.PROTECT, related_name="readings")
    starts_on = models.DateField()
    ends_on = models.DateField()  # the last day that is in it
    energy_wh = models.BigIntegerField()
    banked_wh = models.BigIntegerField(null=True, blank=True)  # nobody's; None: not divided yet
    banked_percent = percents(null=True, blank=True)  # of the capacity; the shares' is the rest
    correction_of = models.OneToOneField(
        "self", models.PROTECT, related_name="corrected_by", null=True, blank=True
    )
    source = models.CharField(max_length=10, choices=Source)
    note = models.CharField(max_length=200, blank=True)
    shared_at = models.DateTimeField(null=True, blank=True)
    posted_at = models.DateTimeField(null=True, blank=True)  # when its last share was

    class Meta:
        ordering = ["project", "-starts_on", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "starts_on", "ends_on"],
                condition=Q(correction_of=None),
                name="capacity_one_first_reading_of_a_period",
            ),
            models.CheckConstraint(
                name="capacity_reading_can_be",
                condition=Q(energy_wh__gte=0, ends_on__gte=F("starts_on"))
                & Q(source__in=["api", "csv", "staff"]),
            ),
            models.CheckConstraint(
                name="capacity_shared_reading_says_what_is_left",
                condition=Q(shared_at=None, banked_wh=None, banked_percent=None, posted_at=None)
                | Q(
                    shared_at__isnull=False,
                    banked_wh__isnull=False,  # said apart: a CHECK lets pass what is unknown
                    banked_percent__isnull=False,
                    banked_wh__gte=0,
                    banked_wh__lte=F("energy_wh"),
                    banked_percent__gte=0,
                    banked_percent__lte=100,
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "created_at", "id"],
                condition=Q(posted_at=None),
                name="capacity_readings_to_post",
            )
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.starts_on}: {self.energy_wh} Wh"


class GenerationShare(Row):
    """
    What of a reading an allocation generated, and the credits that were posted for it.

    Credits are whole: what an allocation earned beyond them, or got beyond what it earned, is
    `earned` less `credits` of all its shares, and counts in its next one. Nothing stores it.
    """

    PREFIX = "gsh"
    WALL = Wall(web="SELECT")  # divided and posted by a worker

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    reading = models.ForeignKey(GenerationReading, models.PROTECT, related_name="shares")
    allocation = models.ForeignKey(Allocation, models.PROTECT, related_name="+")
    percent = percents()  # of the project's capacity in the days of the reading
    energy_wh = models.BigIntegerField()
    earned = models.DecimalField(max_digits=36, decimal_places=9)  # credits, by the days' rates
    # To post, and once it is posted, posted; of a correction, the difference to what was before.
    credits = models.BigIntegerField(default=0)
    reference = models.CharField(max_length=200, blank=True)  # of the movement in the ledger
    posted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reading", "allocation"], name="capacity_reading_is_shared_once"
            ),
            models.CheckConstraint(
                name="capacity_share_is_not_negative",
                condition=Q(energy_wh__gte=0, earned__gte=0, percent__gte=0),
            ),
            models.CheckConstraint(
                name="capacity_posted_share_says_when",
                condition=Q(posted_at=None, reference="")
                | Q(posted_at__isnull=False) & ~Q(reference=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"], name="capacity_shares_of_org"
            ),
            models.Index(
                fields=["reading", "organization"],
                condition=Q(posted_at=None),
                name="capacity_shares_to_post",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.energy_wh} Wh of {self.reading}"

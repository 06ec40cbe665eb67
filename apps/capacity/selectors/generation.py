"""Read what projects generated, how it was divided, and what an organization has of it."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from apps.capacity.models import GenerationReading, GenerationShare, Project
from apps.tenants.models import Organization


def all_readings() -> QuerySet[GenerationReading]:
    """Return all that was read, corrections and what they corrected included."""
    return GenerationReading.objects.select_related("project", "correction_of", "corrected_by")


def readings_of(project: Project) -> QuerySet[GenerationReading]:
    """Return all that was read of a project, corrections and what they corrected included."""
    return all_readings().filter(project=project)


def standing_readings() -> QuerySet[GenerationReading]:
    """Return what was divided and holds: of each period the newest correction that was divided."""
    replaced = GenerationReading.objects.filter(
        correction_of=OuterRef("pk"), shared_at__isnull=False
    )
    divided = GenerationReading.objects.filter(shared_at__isnull=False)
    return divided.exclude(Exists(replaced)).select_related("project")


def generation_of(organization: Organization) -> QuerySet[GenerationReading]:
    """
    Return the periods in which an organization generated, with what of it is its own.

    `own_wh`, `own_percent` and `own_shares` are of the reading that holds; `own_credits` is what
    was posted for the period, corrections included, and `own_waiting` how many shares are not
    posted yet.
    """
    own = GenerationShare.objects.filter(organization=organization).order_by()
    mine = own.filter(reading=OuterRef("pk")).values("reading")
    # The same period of a project is a reading with its corrections, and nothing else.
    period = own.filter(
        reading__project=OuterRef("project"),
        reading__starts_on=OuterRef("starts_on"),
        reading__ends_on=OuterRef("ends_on"),
    ).values("reading__project")
    posted = period.filter(posted_at__isnull=False).annotate(sum=Sum("credits")).values("sum")
    waiting = period.filter(posted_at=None).annotate(sum=Count("pk")).values("sum")
    rows = standing_readings().annotate(
        own_wh=Subquery(mine.annotate(sum=Sum("energy_wh")).values("sum")),
        own_percent=Subquery(mine.annotate(sum=Sum("percent")).values("sum")),
        own_shares=Subquery(mine.annotate(sum=Count("pk")).values("sum")),
        own_credits=Coalesce(Subquery(posted), 0),
        own_waiting=Coalesce(Subquery(waiting), 0),
    )
    return rows.filter(own_shares__isnull=False)


def shares_of(organization: Organization) -> QuerySet[GenerationShare]:
    """Return what each allocation of an organization has of what was read."""
    rows = GenerationShare.objects.filter(organization=organization)
    return rows.select_related("allocation__block", "reading")


@dataclass(frozen=True)
class Progress:
    """How far the posting of a reading has come."""

    posted: int  # shares
    shares: int
    credits: int  # of those that are posted

    @property
    def percent(self) -> Decimal:
        """How much of it is posted; all, if there is nothing to post."""
        if not self.shares:
            return Decimal(100)
        return (Decimal(100) * self.posted / self.shares).quantize(Decimal("0.1"))


def progress_of(reading: GenerationReading) -> Progress:
    """Return how many shares of a reading are posted, in one statement."""
    is_posted = Q(posted_at__isnull=False)
    told = GenerationShare.objects.filter(reading=reading).aggregate(
        posted=Count("pk", filter=is_posted),
        shares=Count("pk"),
        credits=Sum("credits", filter=is_posted, default=0),
    )
    return Progress(**told)

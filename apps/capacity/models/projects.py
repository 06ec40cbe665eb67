"""Projects whose capacity is offered, and what it costs and pays from which day on."""

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.core.models import Row
from apps.core.walls import Wall

READ_BY_ALL = Wall(whose="", web="SELECT")  # staff write it, in the back office
CURRENCY = r"^[a-z]{3}$"  # ISO 4217, lower case


def kilowatts(**options: Any) -> "models.DecimalField[Decimal, Decimal]":
    """Return a column of kW, to the watt."""
    return models.DecimalField(max_digits=12, decimal_places=3, **options)


class Project(Row):
    """
    A plant whose capacity is offered in blocks to every organization of the instance.

    It belongs to none of them: staff keep it. **The row that is locked** by whatever gives or
    takes blocks of it; `allocated_kw` and `held_kw` are the sums of its blocks in these
    states, and the CHECK on them is the last guard against selling twice.
    """

    PREFIX = "prj"
    # A reservation locks the row and counts on it; what is offered on what terms is staff's.
    WALL = Wall(whose="", web="SELECT, UPDATE (allocated_kw, held_kw, waiting_count)")

    class Status(models.TextChoices):
        """Whether it is shown, and whether its blocks can be had."""

        DRAFT = "draft"  # only staff see it
        OPEN = "open"
        CLOSED = "closed"  # nothing new is reserved; what is allocated stays

    code = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    place = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    capacity_kw = kilowatts()  # of the plant; blocks never add up to more
    blocks_kw = kilowatts(default=Decimal(0), editable=False)  # of blocks that are not retired
    allocated_kw = kilowatts(default=Decimal(0), editable=False)
    # With holds that are past their time, until the next one who asks for blocks ends them.
    held_kw = kilowatts(default=Decimal(0), editable=False)
    # Who waits on the waiting list, of whatever organization. The web cannot count them: to it
    # each organization's are those that there are.
    waiting_count = models.PositiveIntegerField(default=0, editable=False)
    currency = models.CharField(max_length=3, default="eur")
    customer_cap_kw = kilowatts(  # most of one customer; a class may have its own
        null=True, blank=True, validators=[MinValueValidator(Decimal("0.001"))]
    )
    hold_minutes = models.PositiveSmallIntegerField(default=15)  # to pay what is reserved
    offer_hours = models.PositiveSmallIntegerField(default=48)  # to pay what who waits is offered
    notice_days = models.PositiveSmallIntegerField(default=30)  # of a cancelled allocation
    starts_on = models.DateField(null=True, blank=True)  # first day of generation
    ends_on = models.DateField(null=True, blank=True)  # the last one
    # With the first day of this month, UTC, what is unused of its generation ends; None: never.
    true_up_month = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                name="capacity_project_sells_no_kw_twice",
                condition=Q(allocated_kw__gte=0, held_kw__gte=0)
                & Q(blocks_kw__gte=F("allocated_kw") + F("held_kw"))
                & Q(capacity_kw__gte=F("blocks_kw")),
            ),
            models.CheckConstraint(
                name="capacity_project_can_be",
                condition=Q(capacity_kw__gt=0, currency__regex=CURRENCY)
                & Q(hold_minutes__gte=1, hold_minutes__lte=1440)
                & (Q(customer_cap_kw=None) | Q(customer_cap_kw__gt=0)),
            ),
            models.CheckConstraint(
                name="capacity_true_up_month_is_one",
                condition=Q(true_up_month=None) | Q(true_up_month__gte=1, true_up_month__lte=12),
            ),
            models.CheckConstraint(
                name="capacity_project_offers_for_a_while",
                condition=Q(offer_hours__gte=1, offer_hours__lte=720),
            ),
            models.CheckConstraint(
                name="capacity_project_status_is_known",
                condition=Q(status__in=["draft", "open", "closed"]),
            ),
            models.CheckConstraint(
                name="capacity_project_ends_after_it_starts",
                condition=Q(starts_on=None) | Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProjectRate(Row):
    """
    What a kW costs a month, and what a kWh pays, from a day on. Written once.

    A fee is worked out from it whenever it is asked for, and stored nowhere.
    """

    PREFIX = "prt"
    WALL = READ_BY_ALL

    project = models.ForeignKey(Project, models.PROTECT, related_name="rates")
    effective_from = models.DateField()  # until the next rate
    fee = models.BigIntegerField()  # minor units of the project's currency, per kW and month
    credits_per_kwh = models.DecimalField(max_digits=18, decimal_places=6)

    class Meta:
        ordering = ["project", "-effective_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "effective_from"], name="capacity_one_rate_at_a_time"
            ),
            models.CheckConstraint(
                name="capacity_rate_is_not_negative",
                condition=Q(fee__gte=0, credits_per_kwh__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project} from {self.effective_from}"

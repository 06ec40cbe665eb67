"""Shapes of the capacity API. Capacity is in kW, as text with three digits; fees in minor units."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from apps.capacity.models import Allocation, CapacityBlock, Project, Reservation
from apps.capacity.models.reservations import Mode
from apps.capacity.selectors.projects import bars_of, fee_of


class KilowattsField(serializers.DecimalField):
    """An amount in kW, to the watt."""

    def __init__(self, *, above: Decimal = Decimal(0), **options: Any) -> None:
        super().__init__(max_digits=12, decimal_places=3, min_value=above, **options)


class ProjectOut(serializers.ModelSerializer[Project]):
    """A project, and how its capacity is divided now."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="project", read_only=True)
    allocated_kw = serializers.SerializerMethodField()
    held_kw = serializers.SerializerMethodField(help_text="Reserved, and neither paid nor over.")
    free_kw = serializers.SerializerMethodField(help_text="In blocks that can be had now.")
    fee = serializers.IntegerField(
        allow_null=True, help_text="Minor units of the currency per kW and month, by today's rate."
    )
    credits_per_kwh = serializers.DecimalField(
        18, 6, allow_null=True, help_text="What generation pays, by today's rate."
    )

    class Meta:
        model = Project
        fields = [
            "id",
            "object",
            "code",
            "name",
            "place",
            "description",
            "status",
            "capacity_kw",
            "allocated_kw",
            "held_kw",
            "free_kw",
            "currency",
            "fee",
            "credits_per_kwh",
            "customer_cap_kw",
            "hold_minutes",
            "notice_days",
            "starts_on",
            "ends_on",
            "created_at",
        ]

    def get_allocated_kw(self, project: Project) -> str:
        """Return what customers have."""
        return str(bars_of(project).allocated_kw)

    def get_held_kw(self, project: Project) -> str:
        """Return what is held now."""
        return str(bars_of(project).held_kw)

    def get_free_kw(self, project: Project) -> str:
        """Return what can be had now."""
        return str(bars_of(project).free_kw)


class AvailableOut(serializers.Serializer[Any]):
    """What can be had of a project now."""

    object = serializers.CharField(default="available_capacity", read_only=True)
    project = serializers.CharField(source="public_id")
    available_kw = serializers.SerializerMethodField()

    def get_available_kw(self, project: Project) -> str:
        """Return what is neither allocated nor held."""
        return str(bars_of(project).free_kw)


class BlockOut(serializers.ModelSerializer[CapacityBlock]):
    """A block of a project. Whose it is, only its owner sees, by his allocations."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="capacity_block", read_only=True)
    project = serializers.CharField(source="project.public_id")
    status = serializers.CharField(source="standing", help_text="free, held or allocated")

    class Meta:
        model = CapacityBlock
        fields = ["id", "object", "project", "serial", "capacity_kw", "status", "created_at"]


class WishIn(serializers.Serializer[Any]):
    """How many kW of which project, and which blocks will do."""

    project = serializers.CharField(max_length=50, help_text="Its id (prj_…) or its code.")
    capacity_kw = KilowattsField(above=Decimal("0.001"))
    mode = serializers.ChoiceField(
        choices=Mode.choices,
        default=Mode.FIFO,
        help_text="fifo: the oldest blocks; exact: blocks that add up to it within the"
        " tolerance; best_fit: blocks that go beyond it by the least.",
    )
    allow_partial = serializers.BooleanField(
        default=False, help_text="Less will do, if there is no more."
    )
    tolerance_kw = KilowattsField(default=Decimal(0), help_text="Of an exact fit, both ways.")
    max_overshoot_kw = KilowattsField(
        default=Decimal(0), help_text="How much more than asked for is agreed to."
    )


class CapacityQuoteOut(serializers.Serializer[Any]):
    """What a wish would get now. Nothing is set aside for it."""

    object = serializers.CharField(default="capacity_quote", read_only=True)
    project = serializers.CharField(source="project.public_id")
    requested_kw = serializers.DecimalField(12, 3, source="choice.wish.kw")
    capacity_kw = serializers.DecimalField(12, 3, source="choice.kw")
    overshoot_kw = serializers.DecimalField(12, 3, source="choice.overshoot_kw")
    blocks = serializers.SerializerMethodField()
    is_agreed = serializers.BooleanField(
        source="choice.is_agreed", help_text="The overshoot is within what was agreed to."
    )
    is_within_cap = serializers.BooleanField()
    monthly_fee = serializers.IntegerField()
    currency = serializers.CharField(source="project.currency")

    def get_blocks(self, quote: Any) -> int:
        """Return how many blocks it would be."""
        return len(quote.choice.pieces)


class ReservationOut(serializers.ModelSerializer[Reservation]):
    """What was asked for, and what became of it; while it is held, it can be paid."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="reservation", read_only=True)
    project = serializers.CharField(source="project.public_id")
    status = serializers.CharField(
        source="standing", help_text="held, allocated, released, expired or late"
    )
    monthly_fee = serializers.SerializerMethodField()
    currency = serializers.CharField(source="project.currency")
    payment = serializers.CharField(source="payment.public_id", default=None, allow_null=True)

    class Meta:
        model = Reservation
        fields = [
            "id",
            "object",
            "project",
            "status",
            "requested_kw",
            "capacity_kw",
            "mode",
            "allow_partial",
            "tolerance_kw",
            "max_overshoot_kw",
            "monthly_fee",
            "currency",
            "hold_expires_at",
            "payment",
            "paid_at",
            "ended_at",
            "created_at",
        ]

    def get_monthly_fee(self, reservation: Any) -> int | None:
        """Return what its kW cost a month by today's rate; null where there is none."""
        return fee_of(reservation.capacity_kw, reservation.fee)


class AllocationOut(serializers.ModelSerializer[Allocation]):
    """One block in the hands of the organization, now or in the past."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="allocation", read_only=True)
    project = serializers.CharField(source="block.project.public_id")
    project_name = serializers.CharField(source="block.project.name")
    block = serializers.CharField(source="block.public_id")
    serial = serializers.CharField(source="block.serial")
    status = serializers.CharField(source="standing", help_text="upcoming, active, ending or ended")
    monthly_fee = serializers.SerializerMethodField()
    currency = serializers.CharField(source="block.project.currency")
    reservation = serializers.CharField(
        source="reservation.public_id", default=None, allow_null=True
    )
    payment = serializers.CharField(
        source="reservation.payment.public_id", default=None, allow_null=True
    )

    class Meta:
        model = Allocation
        fields = [
            "id",
            "object",
            "project",
            "project_name",
            "block",
            "serial",
            "capacity_kw",
            "status",
            "effective_from",
            "effective_to",
            "ending",
            "monthly_fee",
            "currency",
            "reservation",
            "payment",
            "created_at",
        ]

    def get_monthly_fee(self, allocation: Any) -> int | None:
        """Return what the block costs a month by today's rate; null where there is none."""
        return fee_of(allocation.capacity_kw, allocation.fee)


class AllocationFilterIn(serializers.Serializer[Any]):
    """Which allocations to list."""

    project = serializers.CharField(max_length=50, required=False, help_text="Its id or code.")
    status = serializers.ChoiceField(
        choices=["upcoming", "active", "ending", "ended"], required=False
    )


class AllocationsCancelIn(serializers.Serializer[Any]):
    """What is to end when the notice is over."""

    allocations = serializers.ListField(
        child=serializers.CharField(max_length=40), allow_empty=False, max_length=1000
    )

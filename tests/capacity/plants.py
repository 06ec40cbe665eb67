"""Projects with blocks, customers and payments for tests, made by the services."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from django.db import transaction

from apps.billing.models import Payment
from apps.billing.services import payments
from apps.capacity.models import Allocation, CapacityBlock, Project, Reservation
from apps.capacity.selectors.blocks import blocks_held_for
from apps.capacity.selectors.picking import Wish
from apps.capacity.services import blocks, projects
from apps.capacity.services.reserving import reserve
from apps.capacity.services.settling import settle_offline
from apps.core import clock
from apps.tenants.models import Organization, User

_number = count(1)
FEE = 1250  # minor units per kW and month


def make_project(*sizes: int | str, fee: int = FEE, status: str = "open", **terms) -> Project:
    """Return an open project with a block of each size, in kW, the first being the oldest."""
    number = next(_number)
    named = {"code": f"plant-{number}", "name": f"Plant {number}"}
    project = projects.create_project(**{**named, "capacity_kw": Decimal(1000), **terms})
    projects.set_rate(
        project=project,
        effective_from=date(2026, 1, 1),
        fee=fee,
        credits_per_kwh=Decimal("0.5"),
    )
    for size in sizes:
        add_block(project, size)
    return projects.change_project(project, status=status)


def add_block(project: Project, size: int | str) -> CapacityBlock:
    number = next(_number)
    serials = blocks.Range("B", number, number)
    (block,) = blocks.create_blocks(project=project, range_=serials, capacity_kw=Decimal(size))
    return block


def make_blocks(project: Project, prefix: str, count: int, *, kw: int) -> None:
    serials = blocks.Range(prefix, 1, count)
    blocks.create_blocks(project=project, range_=serials, capacity_kw=Decimal(kw))


def wish(kw: int | str, **terms) -> Wish:
    for name in ("tolerance_kw", "max_overshoot_kw"):
        if name in terms:
            terms[name] = Decimal(terms[name])
    return Wish(kw=Decimal(kw), **terms)


def hold(
    organization: Organization,
    project: Project,
    kw: int | str,
    *,
    user: User | None = None,
    **terms,
) -> Reservation:
    return reserve(organization=organization, project=project, wish=wish(kw, **terms), user=user)


def allocate(
    organization: Organization, project: Project, kw: int | str, **terms
) -> list[Allocation]:
    """Reserve, pay and return what was allocated, the oldest block first."""
    reservation = hold(organization, project, kw, **terms)
    settle_offline(reservation=reservation, reference=f"transfer {next(_number)}")
    return list(reservation.allocations.order_by("block__position", "block_id"))


def make_payment(
    organization: Organization, *, kw: int = 5, is_paid: bool = True, currency: str = "eur"
) -> Payment:
    """Return a payment of a month's fee of so many kW."""
    return Payment.objects.create(
        organization=organization,
        purpose=Payment.Purpose.CUSTOM,
        amount=kw * FEE,
        currency=currency,
        is_live=False,
        status=Payment.Status.SUCCEEDED if is_paid else Payment.Status.OPEN,
        settled_at=clock.database_now() if is_paid else None,
    )


def begin_to_pay(reservation: Reservation, **fields) -> Payment:
    """Write down that a reservation is being paid at Stripe, and ask nobody."""
    terms = {
        "amount": int(reservation.capacity_kw * FEE),
        "description": f"{reservation.project.name}, one month",
        "status": Payment.Status.PROCESSING,
    }
    return Payment.objects.create(
        organization=reservation.organization,
        purpose=Payment.Purpose.CAPACITY,
        subject_id=reservation.pk,
        currency="eur",
        is_live=False,
        **{**terms, **fields},
    )


def money_comes(payment: Payment) -> Payment:
    """Settle a payment as whoever hears from Stripe does."""
    intent = {
        "id": f"pi_{payment.pk.hex}",
        "status": "succeeded",
        "amount_received": payment.amount,
        "currency": payment.currency,
    }
    with transaction.atomic():
        return payments.follow(payment=payment, intent=intent)


def later(**span):
    """Return the instance's clock, moved on by so much."""
    return clock.moved_to(clock.workers_now() + timedelta(**span))


def past_its_hold():
    return later(minutes=16)


def sizes_of(reservation: Reservation) -> list[str]:
    """Return the sizes, in kW, of the blocks that a reservation holds, the oldest first."""
    blocks_held = blocks_held_for(reservation).order_by("position", "id")
    return [f"{block.capacity_kw.normalize():f}" for block in blocks_held]


def counters(project: Project) -> tuple[str, str, str]:
    """Return blocks_kw, allocated_kw and held_kw of a project as they stand."""
    project.refresh_from_db()
    amounts = (project.blocks_kw, project.allocated_kw, project.held_kw)
    return tuple(f"{amount.normalize():f}" for amount in amounts)

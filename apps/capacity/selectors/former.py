"""What a row of a former system's allocations means here: whose, of what, since when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q, Sum

from apps.capacity.models import Allocation, CapacityBlock, GenerationReading, Project
from apps.capacity.selectors.projects import NOTHING, day_of, fee_on
from apps.core.clock import workers_now
from apps.core.imports import FormerRow, Unfit
from apps.core.money import EXPONENTS, format_money
from apps.credits.selectors.former import accounts_named
from apps.rbac.selectors.former import customer_of
from apps.tenants.models import Organization

Ending = Allocation.Ending
LIVE = frozenset({"active", "allocated", "confirmed"})
ENDED: Mapping[str, Allocation.Ending] = {
    "cancelled": Ending.CANCELLED,
    "canceled": Ending.CANCELLED,
    "ended": Ending.WITHDRAWN,
    "expired": Ending.WITHDRAWN,
    "inactive": Ending.WITHDRAWN,
}


@dataclass(frozen=True)
class FormerAllocation:
    """A former row, matched to what is here. Days are UTC; amounts are kW."""

    former_id: str
    organization: Organization
    project: Project
    block: CapacityBlock | None  # None: any that add up to its size
    capacity_kw: Decimal
    starts_on: date
    ends_on: date | None  # the first day that is not his; None: open
    ending: str

    @property
    def is_over(self) -> bool:
        """Whether its last day is past: history, and no block is taken for it."""
        return self.ends_on is not None and self.ends_on <= day_of(workers_now())


def read_allocation(row: FormerRow, *, since: date | None = None) -> FormerAllocation:
    """
    Return what a row means. What is not over by `since` begins on that day at the earliest.

    :raises Unfit: naming the first column that cannot be matched.
    """
    former_id = row.former_id("id")
    project = _project_of(row)
    block = _block_of(row, project)
    starts_on = row.day("starts_on")
    if project.starts_on:
        starts_on = max(starts_on, project.starts_on)
    ends_on, ending = _end_of(row, starts_on)
    if since and (ends_on is None or ends_on > since):
        starts_on = max(starts_on, since)
    return FormerAllocation(
        former_id=former_id,
        organization=_customer_of(row),
        project=project,
        block=block,
        capacity_kw=_size_of(row, block),
        starts_on=starts_on,
        ends_on=ends_on,
        ending=ending,
    )


def _customer_of(row: FormerRow) -> Organization:
    """Return whose it is: as every file may say it, or by a former account that was imported."""
    former_id = row.values["account"]
    if row.values["organization"] or row.values["email"] or not former_id:
        return customer_of(row)
    account = accounts_named([former_id]).get(former_id)
    if account is None:
        fix = "Run import_balances first, or add a column organization or email."
        raise Unfit("account", former_id, "This account was not imported.", fix)
    return account.organization


def _project_of(row: FormerRow) -> Project:
    name = row.text("project")
    project_id = Project.read_id(name)
    found = Project.objects.filter(Q(pk=project_id) if project_id else Q(code=name)).first()
    if found is None:
        fix = "Give the code or the prj_… id of a project that is here."
        raise Unfit("project", name, "There is no such project.", fix)
    return found


def _block_of(row: FormerRow, project: Project) -> CapacityBlock | None:
    name = row.values["block"]
    if not name:
        return None
    block_id = CapacityBlock.read_id(name)
    named = Q(pk=block_id) if block_id else Q(serial=name)
    found = CapacityBlock.objects.filter(named, project=project).first()
    if found is None:
        fix = "Give the serial or the blk_… id of a block of the project, or leave it empty."
        raise Unfit("block", name, f"{project} has no such block.", fix)
    return found


def _size_of(row: FormerRow, block: CapacityBlock | None) -> Decimal:
    if block is not None and not row.values["capacity_kw"]:
        return block.capacity_kw
    size = row.decimal("capacity_kw")
    text = row.values["capacity_kw"]
    if not size or size != round(size, 3):
        fix = "Give more than 0 kW, with three digits after the point at most."
        raise Unfit("capacity_kw", text, "A block cannot be so large.", fix)
    if block is not None and size != block.capacity_kw:
        problem = f"Block {block.serial} has {block.capacity_kw} kW."
        raise Unfit("capacity_kw", text, problem, "Give its size, or another block.")
    return size


def _end_of(row: FormerRow, starts_on: date) -> tuple[date | None, str]:
    """Return when it ended or will end, and why."""
    status = row.values["status"].lower() or "active"
    if status not in LIVE and status not in ENDED:
        known = ", ".join(sorted(LIVE | ENDED.keys()))
        problem = "It is neither allocated nor ended."
        raise Unfit("status", status, problem, f"Give one of {known}, or leave the row out.")
    if status in LIVE and not row.values["ends_on"]:
        return None, ""
    ends_on = row.day("ends_on")
    if ends_on < starts_on:
        problem = f"It begins on {starts_on}, and would have ended before."
        raise Unfit("ends_on", row.values["ends_on"], problem, "Put the two days right.")
    return ends_on, ENDED.get(status, Ending.CANCELLED)


def check_days(former: FormerAllocation, block: CapacityBlock) -> None:
    """
    Check that on none of its days the block was another's, and that no day is accounted for.

    :raises Unfit: if one is.
    """
    value = str(former.starts_on)
    until = Q() if former.ends_on is None else Q(effective_from__lt=former.ends_on)
    others = Allocation.objects.filter(until, block=block).exclude(
        # Over by then, or of no day at all
        Q(effective_to__lte=former.starts_on) | Q(effective_to=F("effective_from"))
    )
    if former.ends_on != former.starts_on and (other := others.first()):
        end = other.effective_to or "now"
        problem = f"Block {block.serial} was another's from {other.effective_from} to {end}."
        raise Unfit("starts_on", value, problem, "Name the block that it was, or other days.")
    read = GenerationReading.objects.filter(project=former.project, ends_on__gte=former.starts_on)
    if former.ends_on is not None:
        read = read.filter(starts_on__lt=former.ends_on)
    if read.exists():
        problem = "What the project generated on these days is read, and shared without it."
        raise Unfit(
            "starts_on",
            value,
            problem,
            "Import before the readings, or give a later day (--since).",
        )


def imported_as(former_id: str) -> list[Allocation]:
    """Return what a former row has become: one allocation for each block, the first one first."""
    first = Allocation.objects.filter(former_id=former_id).select_related("block").first()
    if first is None:
        return []
    # Found by the customer, which has an index: a beginning has none.
    further = Allocation.objects.filter(
        organization_id=first.organization_id, former_id__startswith=f"{former_id}/"
    )
    return [first, *further]


def imported_kw() -> dict[UUID, Decimal]:
    """Return by project what was ever imported, ended allocations included, in kW."""
    rows = Allocation.objects.exclude(former_id="").order_by()
    sums = rows.values_list("block__project").annotate(kw=Sum("capacity_kw"))
    return {project_id: kw or NOTHING for project_id, kw in sums}


def fee_that_differs(row: FormerRow, former: FormerAllocation) -> Unfit | None:
    """
    Return what to look at if the former fee is not what the project's rate says today.

    :raises Unfit: if it is no amount of money.
    """
    if not row.values["monthly_fee"]:
        return None
    currency = former.project.currency
    minor = row.decimal("monthly_fee") * 10 ** EXPONENTS.get(currency.upper(), 2)
    fee = fee_on(former.project, former.capacity_kw, day_of(workers_now()))
    if minor == fee:
        return None
    problem = f"The project's rate says {format_money(fee, currency)} a month."
    fix = "Add a rate to the project if the former fee shall hold; none is stored here."
    return Unfit("monthly_fee", row.values["monthly_fee"], problem, fix)

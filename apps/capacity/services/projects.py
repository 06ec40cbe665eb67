"""Keep projects: make and change them, and say what they cost, pay and may be taken of."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.capacity.errors import ProjectRefused
from apps.capacity.models import ClassCap, Customer, CustomerClass, Project, ProjectRate
from apps.capacity.selectors.projects import day_of, rate_on
from apps.capacity.services.locking import lock_project
from apps.core.clock import workers_now
from apps.tenants.models import Organization
from apps.tenants.services import audit

TERMS = (
    *("name", "place", "description", "status", "capacity_kw", "customer_cap_kw"),
    *("hold_minutes", "offer_hours", "notice_days", "starts_on", "ends_on", "true_up_month"),
)


@transaction.atomic
def create_project(
    *, code: str, name: str, capacity_kw: Decimal, currency: str = "eur", **terms: Any
) -> Project:
    """
    Make a project, as a draft that only staff see, without blocks or a rate.

    :raises ProjectRefused: if another one has the code, or a term cannot be.
    """
    given = {"name": name, "capacity_kw": capacity_kw, **terms}
    if Project.objects.filter(code=code).exists():
        raise ProjectRefused(field="code", reason="Another project has it. Choose another.")
    project = Project(code=code, currency=currency, **_checked(given))
    _check_possible(project)
    project.save(force_insert=True)
    audit.record(
        action="project.created",
        object_id=project.public_id,
        after={"code": code, "currency": currency, **_shown(given)},
    )
    return project


@transaction.atomic
def change_project(project: Project, **terms: Any) -> Project:
    """
    Change terms of a project; its capacity can fall to what its blocks add up to.

    What is allocated stays, whatever the status becomes.

    :raises ProjectRefused: if a term cannot be, or it opens without a rate.
    """
    project = lock_project(project.pk)
    changed = {
        name: value for name, value in _checked(terms).items() if getattr(project, name) != value
    }
    if not changed:
        return project
    before = {name: getattr(project, name) for name in changed}
    for name, value in changed.items():
        setattr(project, name, value)
    _check_possible(project)
    project.save(update_fields=[*changed, "updated_at"])
    audit.record(
        action="project.changed",
        object_id=project.public_id,
        before=_shown(before),
        after=_shown(changed),
    )
    return project


def _checked(terms: dict[str, Any]) -> dict[str, Any]:
    """Return the terms; one that nobody may set is a mistake of ours."""
    assert terms.keys() <= set(TERMS), f"no terms: {sorted(terms.keys() - set(TERMS))}"
    return terms


def _check_possible(project: Project) -> None:
    """
    Check what the database would refuse without words.

    :raises ProjectRefused: if it would.
    """
    if project.capacity_kw <= 0:
        raise ProjectRefused(field="capacity_kw", reason="Give more than 0 kW.")
    if project.capacity_kw < project.blocks_kw:
        reason = f"Its blocks add up to {project.blocks_kw} kW. Retire free blocks first."
        raise ProjectRefused(field="capacity_kw", reason=reason)
    if project.customer_cap_kw is not None and project.customer_cap_kw <= 0:
        raise ProjectRefused(field="customer_cap_kw", reason="Give more than 0 kW, or nothing.")
    if not 1 <= project.hold_minutes <= 1440:
        raise ProjectRefused(field="hold_minutes", reason="Give from 1 to 1,440 minutes.")
    if project.true_up_month is not None and not 1 <= project.true_up_month <= 12:
        raise ProjectRefused(field="true_up_month", reason="Give a month from 1 to 12, or none.")
    if not 1 <= project.offer_hours <= 720:
        raise ProjectRefused(field="offer_hours", reason="Give from 1 to 720 hours.")
    if project.starts_on and project.ends_on and project.ends_on < project.starts_on:
        raise ProjectRefused(field="ends_on", reason="It cannot end before it starts.")
    if project.status == Project.Status.OPEN and not rate_on(project, day_of(workers_now())):
        reason = "Give it a rate that holds today before you open it."
        raise ProjectRefused(field="status", reason=reason)


def _shown(terms: dict[str, Any]) -> dict[str, Any]:
    """Return terms as the audit log has them: JSON knows no decimals and no dates."""
    plain = (str, int, type(None))
    return {
        name: value if isinstance(value, plain) else str(value) for name, value in terms.items()
    }


@transaction.atomic
def set_rate(
    *, project: Project, effective_from: date, fee: int, credits_per_kwh: Decimal
) -> ProjectRate:
    """
    Add what holds from a day on, which is not past: `fee` in minor units per kW and month.

    The first rate of a project may begin on any day.

    :raises ProjectRefused: if a rate holds from this day already, the day is past, or an amount
        is below zero.
    """
    project = lock_project(project.pk)
    rates = ProjectRate.objects.filter(project=project)
    is_past = effective_from < day_of(workers_now())
    if is_past and rates.exists():
        reason = "Fees and credits of days past stay as they are. Choose today or a later day."
        raise ProjectRefused(field="effective_from", reason=reason)
    if rates.filter(effective_from=effective_from).exists():
        reason = "A rate holds from this day on already. Choose another day."
        raise ProjectRefused(field="effective_from", reason=reason)
    for field, amount in (("fee", fee), ("credits_per_kwh", credits_per_kwh)):
        if amount < 0:
            raise ProjectRefused(field=field, reason="Give 0 or more.")
    rate = ProjectRate(
        project=project, effective_from=effective_from, fee=fee, credits_per_kwh=credits_per_kwh
    )
    rate.save(force_insert=True)
    audit.record(
        action="project.rate_set",
        object_id=project.public_id,
        after={
            "effective_from": str(effective_from),
            "fee": fee,
            "credits_per_kwh": str(credits_per_kwh),
        },
    )
    return rate


@transaction.atomic
def set_class_cap(
    *, project: Project, customer_class: CustomerClass, customer_cap_kw: Decimal | None
) -> ClassCap | None:
    """
    Say what one customer of a class may have of a project; None: what all others may.

    What somebody has already stays his.

    :raises ProjectRefused: if the cap is not above zero.
    """
    if customer_cap_kw is not None and customer_cap_kw <= 0:
        raise ProjectRefused(field="customer_cap_kw", reason="Give more than 0 kW, or nothing.")
    project = lock_project(project.pk)
    caps = ClassCap.objects.filter(project=project, customer_class=customer_class)
    cap = None
    if customer_cap_kw is None:
        caps.delete()
    else:
        cap, _ = ClassCap.objects.update_or_create(
            project=project,
            customer_class=customer_class,
            defaults={"customer_cap_kw": customer_cap_kw},
        )
    audit.record(
        action="project.cap_set",
        object_id=project.public_id,
        after={
            "class": customer_class.name,
            "kw": None if customer_cap_kw is None else str(customer_cap_kw),
        },
    )
    return cap


@transaction.atomic
def create_customer_class(*, name: str) -> CustomerClass:
    """
    Make a class of customers.

    :raises ProjectRefused: if there is one of this name.
    """
    if CustomerClass.objects.filter(name=name).exists():
        raise ProjectRefused(field="name", reason="There is a class of this name already.")
    made = CustomerClass(name=name)
    made.save(force_insert=True)
    audit.record(action="capacity.class_created", object_id=made.public_id, after={"class": name})
    return made


@transaction.atomic
def classify_customer(*, organization: Organization, customer_class: CustomerClass | None) -> None:
    """Put an organization in a class of customers, or with None in no class."""
    if customer_class is None:
        Customer.objects.filter(organization=organization).delete()
    else:
        Customer.objects.update_or_create(
            organization=organization, defaults={"customer_class": customer_class}
        )
    audit.record(
        action="capacity.classify",
        organization=organization,
        object_id=organization.public_id,
        after={"class": customer_class.name if customer_class else None},
    )

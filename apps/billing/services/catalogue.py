"""Keep plans and packs: make them, rename them, archive them. Their terms are in `versions`."""

from typing import Any, cast

from django.db import transaction

from apps.billing.errors import CatalogueNameTaken
from apps.billing.models import CreditProduct, SubscriptionPlan
from apps.core.db import inside_transaction
from apps.tenants.services.audit import record

type Thing = SubscriptionPlan | CreditProduct
NAMES = {SubscriptionPlan: "plan", CreditProduct: "pack"}


@transaction.atomic
def create_plan(
    *, code: str, name: str, description: str = "", position: int = 0
) -> SubscriptionPlan:
    """
    Make a plan; nobody can subscribe to it before it has a version that is in force.

    :raises CatalogueNameTaken: if another plan has the code or the name.
    """
    plan = SubscriptionPlan(code=code, name=name, description=description, position=position)
    return cast(SubscriptionPlan, _add(plan))


@transaction.atomic
def create_product(
    *, code: str, name: str, description: str = "", position: int = 0
) -> CreditProduct:
    """
    Make a pack of credits; nobody can buy it before it has a version that is in force.

    :raises CatalogueNameTaken: if another pack has the code or the name.
    """
    product = CreditProduct(code=code, name=name, description=description, position=position)
    return cast(CreditProduct, _add(product))


@transaction.atomic
def change(thing: Thing, *, name: str, description: str, position: int) -> Thing:
    """
    Change how a plan or pack is called and where it stands; its code stays.

    :raises CatalogueNameTaken: if another one has the name.
    """
    thing = lock(thing)
    _check_names(thing, name=name)
    given: dict[str, Any] = {"name": name, "description": description, "position": position}
    return _write(thing, "changed", given)


@transaction.atomic
def archive(thing: Thing) -> Thing:
    """Offer it to nobody any more; who has it keeps it. Nothing of it is deleted."""
    return _write(lock(thing), "archived", {"is_active": False})


@transaction.atomic
def offer_again(thing: Thing) -> Thing:
    """Take it out of the archive."""
    return _write(lock(thing), "offered", {"is_active": True})


@inside_transaction
def lock[T: Thing](thing: T) -> T:
    """Return the row as it is now, so that two who change it follow one another."""
    rows = type(thing).objects.select_for_update(no_key=True)
    return cast(T, rows.get(pk=thing.pk))


def _add(thing: Thing) -> Thing:
    _check_names(thing, code=thing.code, name=thing.name)
    thing.save(force_insert=True)
    thing.refresh_from_db()
    record(
        action=f"{NAMES[type(thing)]}.created",
        object_id=thing.public_id,
        after={"code": thing.code, "name": thing.name},
    )
    return thing


def _write(thing: Thing, verb: str, given: dict[str, Any]) -> Thing:
    """Write what differs, and that into the audit log; nothing if nothing does."""
    changed = {name: value for name, value in given.items() if getattr(thing, name) != value}
    if not changed:
        return thing
    before = {name: getattr(thing, name) for name in changed}
    for name, value in changed.items():
        setattr(thing, name, value)
    thing.save(update_fields=list(changed))
    record(
        action=f"{NAMES[type(thing)]}.{verb}",
        object_id=thing.public_id,
        before=before,
        after=changed,
    )
    return thing


def _check_names(thing: Thing, **wanted: str) -> None:
    others = type(thing).objects.exclude(pk=thing.pk)
    for field, value in wanted.items():
        if others.filter(**{field: value}).exists():
            raise CatalogueNameTaken(field=field, value=value)

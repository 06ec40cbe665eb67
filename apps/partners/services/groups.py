"""Groups and cost centres of a programme."""

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Lower

from apps.core.db import inside_transaction
from apps.partners.errors import GroupExists
from apps.partners.models import MemberGroup, Partner
from apps.partners.services.programmes import lock_partner
from apps.tenants.services import audit


@transaction.atomic
def create_group(*, partner: Partner, name: str, cost_centre: str = "") -> MemberGroup:
    """
    Make a group of members.

    :raises GroupExists: if there is one with this name, whatever its capitals.
    """
    locked = lock_partner(partner)
    _check_is_free(locked, name)
    group = MemberGroup.objects.create(
        organization=locked.organization, partner=locked, name=name, cost_centre=cost_centre
    )
    audit.record(
        action="partner.create_group",
        organization=locked.organization,
        object_id=group.public_id,
        after={"name": name, "cost_centre": cost_centre},
    )
    return group


@transaction.atomic
def update_group(*, group: MemberGroup, name: str, cost_centre: str) -> MemberGroup:
    """
    Call a group, or its cost centre, something else.

    :raises GroupExists: if another one is called so.
    """
    lock_partner(group.partner)
    locked = MemberGroup.objects.select_related("organization").get(pk=group.pk)
    before = {"name": locked.name, "cost_centre": locked.cost_centre}
    after = {"name": name, "cost_centre": cost_centre}
    if before == after:
        return locked
    _check_is_free(locked.partner, name, but=locked)
    locked.name, locked.cost_centre = name, cost_centre
    locked.save(update_fields=["name", "cost_centre"])
    audit.record(
        action="partner.update_group",
        organization=locked.organization,
        object_id=locked.public_id,
        before=before,
        after=after,
    )
    return locked


@transaction.atomic
def remove_group(*, group: MemberGroup) -> None:
    """Dissolve a group; its members stay, in none."""
    lock_partner(group.partner)
    audit.record(
        action="partner.remove_group",
        organization=group.organization,
        object_id=group.public_id,
        before={"name": group.name, "cost_centre": group.cost_centre},
    )
    MemberGroup.objects.filter(pk=group.pk).delete()


@inside_transaction
def _check_is_free(partner: Partner, name: str, but: MemberGroup | None = None) -> None:
    rows = MemberGroup.objects.filter(partner=partner).annotate(
        folded=Lower("name"), wanted=Lower(Value(name))
    )
    if but is not None:
        rows = rows.exclude(pk=but.pk)
    if rows.filter(folded=F("wanted")).exists():  # as the unique key folds, not as Python does
        raise GroupExists(name=name)

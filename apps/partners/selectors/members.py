"""Read who belongs to a programme, and how they are grouped."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, DateTimeField, F, Func, Q, QuerySet, Sum

from apps.core import paging
from apps.core.clock import now_in_query
from apps.core.errors import NotFound
from apps.partners.models import MemberGroup, Partner, PartnerCredit, PartnerMember
from apps.partners.selectors.awards import left_of_award

Status = PartnerMember.Status
COLUMNS = [
    *("id", "email", "first_name", "last_name", "status", "group", "cost_centre"),
    *("invited_at", "mailed_at", "reminders", "claimed_at", "left_at"),
]


class LastWritten(Func):
    """When a member was last written to, or was to be; nulls do not count."""

    function = "GREATEST"
    output_field = DateTimeField()

    def __init__(self) -> None:
        super().__init__(F("created_at"), F("sent_at"), F("reminded_at"))


def members_of(
    partner: Partner, *, status: str = "", group: MemberGroup | None = None, search: str = ""
) -> QuerySet[PartnerMember]:
    """Return the members, newest first; `search` looks in names and addresses."""
    rows = PartnerMember.objects.filter(partner=partner).select_related("group")
    if status:
        rows = rows.filter(status=status)
    if group is not None:
        rows = rows.filter(group=group)
    for word in search.split():
        named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        rows = rows.filter(named | Q(email__icontains=word))
    return rows.order_by("-created_at", "-id")


def member_of(partner: Partner, public_id: str) -> PartnerMember:
    """
    Return the member with this id.

    :raises NotFound: if the programme has none; one of another programme looks the same.
    """
    member_id = PartnerMember.read_id(public_id)
    rows = PartnerMember.objects.filter(partner=partner).select_related("group", "wallet")
    found: PartnerMember | None = rows.filter(pk=member_id).first() if member_id else None
    if found is None:
        raise NotFound
    return found


def counts_of(partner: Partner) -> dict[str, int]:
    """Return how many members the programme has in each status; none is 0."""
    rows = PartnerMember.objects.filter(partner=partner).order_by()
    found = dict(rows.values_list("status").annotate(Count("id")))
    return {str(status): found.get(status, 0) for status in Status.values}


def may_be_reminded(partner: Partner, since: datetime) -> QuerySet[PartnerMember]:
    """Return who was invited, has not claimed, and got no mail since that moment."""
    invited = PartnerMember.objects.filter(partner=partner, status=Status.INVITED)
    return invited.annotate(last_written=LastWritten()).filter(last_written__lte=since)


def member_rows(members: QuerySet[PartnerMember]) -> Iterator[tuple[object, ...]]:
    """Yield a row for each member, in the order of COLUMNS, chunk by chunk."""
    for one in paging.every(members):
        yield (
            *(one.public_id, one.email, one.first_name, one.last_name, one.status),
            *((one.group.name, one.group.cost_centre) if one.group else ("", "")),
            *(_written(one.created_at), _written(one.sent_at), one.reminders),
            *(_written(one.claimed_at), _written(one.left_at)),
        )


def _written(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def groups_of(partner: Partner) -> QuerySet[MemberGroup]:
    """Return the groups by name, each with how many members it has; who left is not counted."""
    here = Count("members", filter=~Q(members__status=Status.LEFT))
    rows = MemberGroup.objects.filter(partner=partner)
    found: QuerySet[MemberGroup] = rows.annotate(size=here).order_by("name", "id")
    return found


def group_of(partner: Partner, public_id: str) -> MemberGroup:
    """
    Return the group with this id.

    :raises NotFound: if the programme has none.
    """
    group_id = MemberGroup.read_id(public_id)
    found: MemberGroup | None = groups_of(partner).filter(pk=group_id).first() if group_id else None
    if found is None:
        raise NotFound
    return found


def offers_of(member: PartnerMember) -> QuerySet[Any]:
    """
    Return the awards that the member can still claim, the one that ends first in front.

    Each with what is `left` of it: what was called in, since its money went back, is no offer.
    """
    now = now_in_query()
    rows = PartnerCredit.objects.filter(
        member=member, claimed_at=None, settled_at=None, expires_at__gt=now
    )
    return rows.annotate(left=left_of_award(now)).filter(left__gt=0).order_by("expires_at", "id")


def offered_to(member: PartnerMember) -> int:
    """Return how many credits the member can still claim."""
    total: int = offers_of(member).aggregate(sum=Sum("left", default=0))["sum"]
    return total

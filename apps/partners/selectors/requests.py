"""Requests for credits, for the programme and for the member himself."""

from django.db.models import QuerySet

from apps.core.errors import NotFound
from apps.partners.models import CreditRequest, Partner, PartnerMember
from apps.tenants.models import Organization, User


def requests_of(partner: Partner, *, status: str = "") -> QuerySet[CreditRequest]:
    """Return what members asked the programme for, newest first; of one status, or of any."""
    rows = CreditRequest.objects.filter(partner=partner)
    rows = rows.filter(status=status) if status else rows
    related = rows.select_related("member__group", "decided_by", "award")
    return related.order_by("-created_at", "-id")


def request_of(partner: Partner, public_id: str) -> CreditRequest:
    """
    Return the request with this id.

    :raises NotFound: if nobody asked the programme for it.
    """
    return _with_id(requests_of(partner), public_id)


def own_requests(member: PartnerMember) -> QuerySet[CreditRequest]:
    """Return what the member asked for, newest first."""
    return requests_of(member.partner).filter(member=member)


def own_request(organization: Organization, user: User, public_id: str) -> CreditRequest:
    """
    Return the request with this id that the person made in the organization's programme.

    :raises NotFound: if he asked for no such thing; another member's looks the same.
    """
    his = CreditRequest.objects.filter(organization=organization, member__user=user)
    return _with_id(his.select_related("partner", "member"), public_id)


def _with_id(rows: QuerySet[CreditRequest], public_id: str) -> CreditRequest:
    row_id = CreditRequest.read_id(public_id)
    found = rows.filter(pk=row_id).first() if row_id else None
    if found is None:
        raise NotFound
    return found

"""Programmes and the terms in force."""

from apps.partners.errors import NotAPartner
from apps.partners.models import Partner, PartnerMember, PartnerTerms
from apps.tenants.models import Organization


def find_partner(organization: Organization) -> Partner | None:
    """Return the organization's programme, if it has one."""
    found: Partner | None = Partner.objects.filter(organization=organization).first()
    return found


def partner_of(organization: Organization) -> Partner:
    """
    Return the organization's programme.

    :raises NotAPartner: if it has none.
    """
    found = find_partner(organization)
    if found is None:
        raise NotAPartner
    return found


def terms_of(partner: Partner) -> PartnerTerms:
    """Return the terms in force: those with the highest number."""
    terms: PartnerTerms = PartnerTerms.objects.filter(partner=partner).latest("number")
    return terms


def seats_taken(partner: Partner) -> int:
    """Return how many members the programme has; who left takes no seat."""
    members = PartnerMember.objects.filter(partner=partner)
    return members.exclude(status=PartnerMember.Status.LEFT).count()


def seats_free(partner: Partner) -> int | None:
    """Return how many members more the terms in force allow; None: there is no limit."""
    limit = terms_of(partner).seat_limit
    return None if limit is None else max(0, limit - seats_taken(partner))

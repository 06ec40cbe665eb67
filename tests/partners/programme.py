"""Programmes with members, made by the services that make the real ones."""

from collections.abc import Sequence

from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.grants import grant_credits
from apps.partners.models import Partner, PartnerMember
from apps.partners.selectors import find_partner
from apps.partners.services.members import NewMember, add_members
from apps.partners.services.programmes import STANDARD, Terms, make_partner
from apps.tenants.models import Organization
from tests.people import make_organization


def make_programme(
    *, credits: int = 0, terms: Terms = STANDARD, name: str = "Green Neighbours"
) -> Partner:
    """Return a programme whose pool has so many bought credits, and nothing else."""
    organization = make_organization(name=name, with_trial=False)
    if credits:
        grant_credits(
            wallet=main_wallet(organization),
            amount=credits,
            kind=Lot.Kind.PURCHASE,
            reference="paid:pool",
            source="test",
        )
    return make_partner(organization=organization, name=name, terms=terms)


def partner_in(organization: Organization) -> Partner:
    """Return the programme of an organization, made if it has none."""
    found = find_partner(organization)
    return found or make_partner(organization=organization, name="Green Neighbours")


def make_members(partner: Partner, *emails: str) -> Sequence[PartnerMember]:
    """Return invited members with these addresses."""
    return add_members(partner=partner, people=[NewMember(email) for email in emails])

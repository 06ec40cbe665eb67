"""What a member sees of himself: his wallet, and who gave him what is in it."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.core.clock import database_now
from apps.credits.models import Lot
from apps.credits.selectors.lots import Standing, in_burn_order
from apps.partners.errors.asking import NotAMember
from apps.partners.models import PartnerCredit, PartnerMember
from apps.partners.selectors.award_lots import reference_of
from apps.tenants.models import Organization, User


@dataclass(frozen=True)
class OwnLot:
    """Credits in a member's wallet, and the award that they came by."""

    standing: Standing
    award: PartnerCredit | None  # None: given or corrected by staff


def find_own_membership(organization: Organization, user: User) -> PartnerMember | None:
    """Return who the person is in the organization's programme, if he is anybody there."""
    members = PartnerMember.objects.filter(organization=organization, user=user)
    found: PartnerMember | None = members.select_related("partner", "wallet").first()
    return found


def own_membership(organization: Organization, user: User) -> PartnerMember:
    """
    Return who the person is in the organization's programme.

    :raises NotAMember: if he is nobody there.
    """
    found = find_own_membership(organization, user)
    if found is None:
        raise NotAMember
    return found


def own_lots(member: PartnerMember) -> list[OwnLot]:
    """Return the member's lots that hold credits, in burn order, each with its award."""
    rows = Lot.objects.filter(wallet=member.wallet_id, has_credits=True)
    lots = list(rows.select_related("heir_of"))
    awards = _awards_of(member, lots)
    standings = in_burn_order(((lot, lot.remaining) for lot in lots), at=database_now())
    return [OwnLot(one, awards.get(reference_of(one.lot))) for one in standings]


def _awards_of(member: PartnerMember, lots: Iterable[Lot]) -> dict[str, PartnerCredit]:
    """Return the awards that these lots came by, by reference."""
    references = {reference_of(lot) for lot in lots}
    awards = PartnerCredit.objects.filter(member=member, reference__in=references)
    return {one.reference: one for one in awards.select_related("campaign", "terms")}

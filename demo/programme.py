"""Green Neighbours as a partner, with members in every status."""

from decimal import Decimal

from apps.core import context
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.grants import grant_credits
from apps.partners.services import standing
from apps.partners.services.claiming import claim
from apps.partners.services.groups import create_group
from apps.partners.services.members import NewMember, add_members
from apps.partners.services.programmes import Terms, make_partner
from apps.tenants.models import Organization, User
from demo.asking import ask_and_plan
from demo.handing_on import hand_on

INVITED = ("ines@neighbours.test", "omar@neighbours.test")
SUSPENDED, LEFT = "sven@neighbours.test", "lena@neighbours.test"


def begin_programme(organization: Organization, users: dict[str, User], staff: User) -> None:
    """Let a neighbour claim, two be invited, one be suspended and one have left."""
    manager, neighbour = users["manager@partner.test"], users["neighbour@partner.test"]
    partner = make_partner(
        organization=organization,
        name="Green Neighbours",
        terms=Terms(seat_limit=500),
        by=staff,
        reason="Agreed with the board",
    )
    with context.acting(actor=f"user:{manager.public_id}"):
        roofs = create_group(partner=partner, name="Roofs", cost_centre="4711")
        create_group(partner=partner, name="Gardens", cost_centre="4712")
        people = [NewMember(neighbour.email, "Nia", "Novak", roofs)]
        people += [NewMember(email, group=roofs) for email in (*INVITED, SUSPENDED, LEFT)]
        first, *invited, suspended, left = add_members(partner=partner, people=people, by=manager)
        standing.suspend(member=suspended, reason="Sold the house")
        standing.remove_member(
            member=left, cause=standing.Cause.REMOVED, reason="Moved to another town"
        )
    with context.acting(actor=f"user:{neighbour.public_id}"):
        member = claim(member=first, user=neighbour)
    _fill_the_pool(organization)
    hand_on(partner, manager, [member, *invited])
    ask_and_plan(partner, manager, member)


def _fill_the_pool(organization: Organization) -> None:
    """Buy what is handed on: more than a trial has."""
    grant_credits(
        wallet=main_wallet(organization),
        amount=1500,
        kind=Lot.Kind.PURCHASE,
        reference="demo:pool",
        source="purchase",
        unit_cost=Decimal("1.9"),
        currency="eur",
        description="Pack of 1,500 credits",
    )

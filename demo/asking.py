"""A campaign, a rule for a domain, and a request that waits, in the demo's programme."""

from datetime import timedelta

from apps.core import context
from apps.core.clock import database_now
from apps.partners.models import Partner, PartnerMember
from apps.partners.services.campaigns import Plan, create_campaign
from apps.partners.services.requests import request_credits
from apps.partners.services.rules import create_rule
from apps.tenants.models import User


def ask_and_plan(partner: Partner, manager: User, member: PartnerMember) -> None:
    """Plan a spring, let the neighbours' domain join in it, and let a member ask for more."""
    now = database_now()
    with context.acting(actor=f"user:{manager.public_id}"):
        plan = Plan("Balcony spring", 2000, now - timedelta(days=7), now + timedelta(days=60))
        spring = create_campaign(partner=partner, plan=plan, by=manager)
        create_rule(
            partner=partner, domain="neighbours.test", credits=25, campaign=spring, by=manager
        )
    if member.user is not None:
        with context.acting(actor=f"user:{member.user.public_id}"):
            request_credits(member=member, credits=50, reason="Posters for the open garden day")

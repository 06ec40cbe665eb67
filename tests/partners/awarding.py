"""Awards and what becomes of them, by the services that make the real ones."""

from typing import Any

from django.utils import timezone

from apps.core import ids
from apps.credits.ledger.book import Outcome
from apps.credits.models import Lot
from apps.credits.selectors import balance_of, main_wallet
from apps.credits.services.charges import charge_amount
from apps.credits.services.grants import grant_credits
from apps.partners.models import Partner, PartnerCredit, PartnerMember
from apps.partners.services.awards import AwardRequest, award
from tests.partners.programme import make_members
from tests.people import make_person


def make_active_member(partner: Partner, email: str = "ada@example.com") -> PartnerMember:
    """Return a member who has claimed, without an account's whole story."""
    (member,) = make_members(partner, email)
    member.status = PartnerMember.Status.ACTIVE
    member.user, member.claimed_at = make_person(), timezone.now()
    member.save()
    return member


def asked(member: PartnerMember, credits: int = 10, **terms: Any) -> AwardRequest:
    """Return a request with a key of its own, unless one is given."""
    terms.setdefault("key", f"test:{ids.new_id()}")
    return AwardRequest(member=member, credits=credits, **terms)


def give(member: PartnerMember, credits: int = 10, **terms: Any) -> PartnerCredit:
    """Return an award of so many credits to a member."""
    return award(partner=member.partner, request=asked(member, credits, **terms)).award


def fill(partner: Partner, credits: int, **terms: Any) -> None:
    """Let the pool have so many more bought credits, by these terms."""
    grant_credits(
        wallet=main_wallet(partner.organization),
        amount=credits,
        kind=Lot.Kind.PURCHASE,
        reference=f"paid:{ids.new_id()}",
        source="test",
        **terms,
    )


def spend(member: PartnerMember, credits: int) -> Outcome:
    """Let a member use so many of his credits."""
    return charge_amount(
        wallet=member.wallet, amount=credits, reference=f"job:{ids.new_id()}", source="test"
    )


def in_pool(partner: Partner) -> int:
    """Return what the pool could hand on now, in credits."""
    return balance_of(main_wallet(partner.organization)).available


def in_hand(member: PartnerMember) -> int:
    """Return what a member could use now, in credits."""
    return balance_of(member.wallet).available

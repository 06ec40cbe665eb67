"""Claim links for tests: sent for real, and read out of the mails."""

import re

from django.core import mail

from apps.partners.models import Partner, PartnerMember
from apps.partners.services.claiming import claim
from apps.tenants.models import User
from tests.mails import send
from tests.partners.programme import make_members
from tests.people import make_member
from tests.rbac.inviting import make_verified

ADDRESS = "ada@example.com"


def make_manager(partner: Partner) -> User:
    """Return somebody who runs the programme."""
    return make_member(partner.organization, "partner manager")


def send_links() -> list[str]:
    """Send what is due, and return the tokens of the links, oldest first."""
    before = len(mail.outbox)
    send("programme_claims")
    return [token_in(one.body) for one in mail.outbox[before:]]


def token_in(text: str) -> str:
    return re.search(r"/claims/(\S+)/", text)[1]


def make_invited_member(partner: Partner, email: str = ADDRESS) -> tuple[PartnerMember, str]:
    """Return an invited member, and the token of his link."""
    (member,) = make_members(partner, email)
    *_, token = send_links()
    member.refresh_from_db()
    return member, token


def make_claimed(partner: Partner, email: str = ADDRESS) -> PartnerMember:
    """Return a member who has claimed with an account of that address."""
    (member,) = make_members(partner, email)
    return claim(member=member, user=make_verified(email))

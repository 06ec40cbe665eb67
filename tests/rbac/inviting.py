"""Invitations for tests: sent for real, and their links read out of the mails."""

import re

from allauth.account.models import EmailAddress
from django.core import mail

from apps.core.mail import send_due
from apps.rbac.models import Invitation
from apps.rbac.selectors import find_role
from apps.rbac.services import invitation_mails, invitations
from apps.tenants.models import Organization, User
from tests.people import make_person

PASSWORD = "a long enough secret"


def make_invitation(
    organization: Organization, by: User, *, email: str = "new@example.com", role: str = "member"
) -> Invitation:
    return invitations.invite(
        organization=organization,
        email=email,
        role=find_role(organization, role),
        by=by,
    )


def send_mails() -> list[str]:
    """Send what is due, and return the tokens of the links, oldest first."""
    before = len(mail.outbox)
    send_due(invitation_mails.QUEUE)
    return [token_in(one.body) for one in mail.outbox[before:]]


def token_in(text: str) -> str:
    return re.search(r"/invitations/(\S+)/", text)[1]


def make_invited(organization: Organization, by: User, **fields) -> tuple[Invitation, str]:
    invitation = make_invitation(organization, by, **fields)
    *_, token = send_mails()
    invitation.refresh_from_db()
    return invitation, token


def make_verified(email: str = "new@example.com", **fields) -> User:
    person = make_person(email=email, **fields)
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    return person

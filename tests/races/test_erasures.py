"""Somebody is erased while another joins what he owns: real connections, real commits."""

import pytest

from apps.core.errors import DomainError
from apps.rbac.models import Erasure, UserRole
from apps.rbac.services import accepting, erasures, forgetting
from apps.rbac.services.erasures import erase, request_erasure
from apps.tenants.models import Organization, User
from tests.people import make_organization, make_person
from tests.races.racing import at_once
from tests.rbac.inviting import make_invited, make_verified

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6


class Meeting:
    """An owner who is about to be erased, and somebody whom he has invited."""

    def __init__(self, number: int = 0) -> None:
        self.owner = make_person()
        self.organization = make_organization(owner=self.owner)
        email = f"joins{number}@example.com"
        self.invitation, self.token = make_invited(self.organization, self.owner, email=email)
        self.person = make_verified(email)
        self.erasure = request_erasure(user=self.owner, confirmation=self.owner.email)

    def join(self) -> str:
        """Return "done", or the refusal's code."""
        try:
            accepting.accept(invitation=self.invitation, user=self.person, token=self.token)
        except DomainError as error:
            return error.code
        return "done"

    def erase(self) -> str:
        """Return "done", or the refusal's code."""
        try:
            erase(erasure=self.erasure)
        except DomainError as error:
            return error.code
        return "done"

    def ended_whole(self, joined: str, erased: str) -> bool:
        """Tell whether one gave way to the other, and the organization is as that one left it."""
        status = Organization.objects.get(pk=self.organization.pk).status
        belongs = UserRole.objects.filter(organization=self.organization, user=self.person).exists()
        if joined == "done":
            owner = User.objects.get(pk=self.owner.pk)
            is_still = owner.is_active and belongs and status == "active"
            return is_still and erased == "still_owner"
        is_shut = joined == "invitation_not_open" and status == "closed" and not belongs
        return is_shut and erased == "done"


class TestAnErasure:
    def test_does_not_close_what_somebody_joined_after_it_was_checked(self, monkeypatch):
        meeting = Meeting()
        steps, joined = erasures.STEPS, []

        def let_him_in(user, identity):
            joined.extend(at_once([meeting.join]))  # commits on a connection of its own

        monkeypatch.setattr(erasures, "STEPS", (let_him_in, *steps))

        erased = meeting.erase()

        assert (joined, erased) == (["done"], "still_owner")
        assert meeting.ended_whole(joined[0], erased)
        meeting.erasure.refresh_from_db()
        assert meeting.erasure.status == Erasure.Status.PENDING

    def test_does_not_close_what_somebody_joins_while_it_waits_for_the_lock(self, monkeypatch):
        """As above, but he comes in between the question who belongs to it and its lock."""
        meeting = Meeting()
        asked, joined = forgetting.organizations_without, []

        def answered_late(user):
            found = asked(user)
            joined.extend(at_once([meeting.join]))
            return found

        monkeypatch.setattr(forgetting, "organizations_without", answered_late)

        erased = meeting.erase()

        assert (joined[0], erased) == ("done", "still_owner")
        assert meeting.ended_whole(joined[0], erased)

    def test_and_a_joining_at_once_end_with_one_of_them(self):
        for number in range(ROUNDS):
            meeting = Meeting(number)

            joined, erased = at_once([meeting.join, meeting.erase])

            assert meeting.ended_whole(joined, erased), (joined, erased)

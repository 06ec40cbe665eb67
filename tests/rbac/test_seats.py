"""Seats: a member has one, an open invitation offers one; no more are offered than there are."""

from datetime import timedelta

import pytest

from apps.core.clock import moved_to
from apps.rbac.errors import MemberLimitReached
from apps.rbac.models import Invitation
from apps.rbac.selectors import Seats, seats_of
from apps.rbac.services import invitations
from apps.rbac.services.members import set_roles
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import Organization
from tests.people import make_member, make_organization, make_person, signed_in
from tests.races.racing import at_once
from tests.rbac.inviting import make_invitation

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture
def organization(owner):
    organization = make_organization(owner=owner)
    Organization.objects.filter(pk=organization.pk).update(max_users=2)
    organization.refresh_from_db()
    return organization


class TestAnOpenInvitation:
    def test_offers_a_seat(self, organization, owner):
        make_invitation(organization, owner)

        assert seats_of(organization) == Seats(members=1, invited=1, limit=2)

    def test_leaves_no_seat_for_another(self, organization, owner):
        make_invitation(organization, owner)

        with pytest.raises(MemberLimitReached) as refused:
            make_invitation(organization, owner, email="second@example.com")

        assert refused.value.details == {"limit": 2, "members": 1, "invited": 1}
        assert Invitation.objects.count() == 1

    def test_gives_its_seat_back_when_it_is_revoked(self, organization, owner):
        invitations.revoke(invitation=make_invitation(organization, owner))

        assert make_invitation(organization, owner, email="second@example.com").pk

    def test_gives_its_seat_back_when_its_time_is_over(self, organization, owner):
        first = make_invitation(organization, owner)

        with moved_to(first.expires_at + timedelta(seconds=1)):
            assert make_invitation(organization, owner, email="second@example.com").pk

    def test_that_is_past_its_time_opens_again_only_where_a_seat_is_free(self, organization, owner):
        first = make_invitation(organization, owner)

        with moved_to(first.expires_at + timedelta(seconds=1)):
            second = make_invitation(organization, owner, email="second@example.com")
            with pytest.raises(MemberLimitReached) as refused:
                invitations.resend(invitation=first, by=owner)
            assert refused.value.details == {"limit": 2, "members": 1, "invited": 1}

            invitations.revoke(invitation=second)
            invitations.resend(invitation=first, by=owner)
            assert seats_of(organization) == Seats(members=1, invited=1, limit=2)

    def test_is_sent_again_on_the_seat_that_it_has(self, organization, owner):
        only = make_invitation(organization, owner)

        with moved_to(only.created_at + timedelta(hours=1)):
            assert invitations.resend(invitation=only, by=owner).resends == 1

    def test_does_not_keep_a_seat_from_one_who_is_added(self, organization, owner):
        make_invitation(organization, owner)

        assign_role(user=make_person(), role=system_role("member"), organization=organization)

        assert seats_of(organization).members == 2

    def test_is_refused_row_by_row_in_a_list(self, organization, owner):
        rows = invitations.invite_many(
            organization=organization,
            emails=["one@example.com", "two@example.com"],
            role=system_role("member"),
            by=owner,
        )

        assert [type(row.error) for row in rows] == [type(None), MemberLimitReached]

    @pytest.mark.django_db(transaction=True)
    def test_is_not_one_too_many_when_several_are_sent_at_once(self, organization, owner):
        def send(number):
            try:
                make_invitation(organization, owner, email=f"{number}@example.com")
            except MemberLimitReached:
                return 0
            return 1

        sent = at_once([lambda one=one: send(one) for one in range(4)])

        assert sum(sent) == 1


class TestThePages:
    @pytest.mark.parametrize("page", ["members", "members/invitations"])
    def test_show_the_seats(self, organization, owner, page):
        make_invitation(organization, owner)

        text = signed_in(owner).get(f"/o/{organization.slug}/{page}/").content.decode()

        assert "1 of 2 seats" in text
        assert "1 offered by open invitations" in text

    def test_show_none_where_there_is_no_limit(self, owner):
        free = make_organization(owner=owner, name="Free")
        make_member(free, "member")

        assert "seats" not in signed_in(owner).get(f"/o/{free.slug}/members/").content.decode()


class TestAMemberOfAProgramme:
    """He spends what a partner gave him, and is none of the organization's own people."""

    @pytest.fixture
    def guest(self, organization):
        return make_member(organization, "programme member")

    def test_takes_no_seat(self, organization, guest):
        for _ in range(2):
            make_member(organization, "programme member")

        assert seats_of(organization) == Seats(members=1, invited=0, limit=2)

    def test_is_invited_where_no_seat_is_free(self, organization, owner):
        make_member(organization, "member")

        make_invitation(organization, owner, role="programme member")

        assert seats_of(organization) == Seats(members=2, invited=0, limit=2)

    def test_needs_one_for_another_role(self, organization, owner, guest):
        roles = [system_role("member")]
        set_roles(organization=organization, user=guest, roles=roles, by=owner)
        assert seats_of(organization).members == 2
        second = make_member(organization, "programme member")

        with pytest.raises(MemberLimitReached):
            set_roles(organization=organization, user=second, roles=roles, by=owner)
        with pytest.raises(MemberLimitReached):
            assign_role(user=second, role=roles[0], organization=organization)

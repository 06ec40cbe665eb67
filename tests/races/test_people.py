"""People who come and go at the same moment: real connections, real commits."""

import pytest

from apps.rbac.models import Invitation, UserRole
from apps.rbac.selectors import find_role
from apps.rbac.services import accepting, invitations, members
from apps.tenants.models import AuditLog, Organization, User
from tests.mails import send_round
from tests.people import make_member, make_organization, make_person
from tests.races.outcomes import code_of
from tests.races.racing import at_once
from tests.rbac.inviting import make_invitation, make_invited, make_verified

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 6
ROUNDS = 8


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


def accept_as(user, invitation, token):
    return code_of(lambda: accepting.accept(invitation=invitation, user=user, token=token))


def sign_up(invitation, token):
    return code_of(
        lambda: accepting.sign_up(
            invitation=invitation,
            token=token,
            full_name="Nia",
            set_password=lambda user: user.set_unusable_password(),
        )
    )


class TestAcceptingFromManyTabs:
    def test_joins_once(self, organization, owner):
        invitation, token = make_invited(organization, owner)
        person = make_verified()

        outcomes = at_once([accept_as(person, invitation, token)] * RACERS)

        assert set(outcomes) == {"done"}
        assert UserRole.objects.filter(user=person).count() == 1
        assert AuditLog.objects.filter(action="invitation.accept").count() == 1

    def test_signs_up_one_person(self, organization, owner):
        invitation, token = make_invited(organization, owner)

        outcomes = at_once([sign_up(invitation, token)] * RACERS)

        assert outcomes.count("done") == 1
        assert set(outcomes) <= {"done", "invitation_not_open", "account_exists"}
        assert User.objects.filter(email=invitation.email).count() == 1
        assert UserRole.objects.filter(organization=organization).count() == 2


class TestAcceptingWhatIsBeingRevoked:
    def test_ends_in_one_way_or_the_other(self, organization, owner):
        for number in range(ROUNDS):
            email = f"p{number}@example.com"
            invitation, token = make_invited(organization, owner, email=email)
            person = make_verified(email)

            accepted, revoked = at_once(
                [
                    accept_as(person, invitation, token),
                    code_of(lambda one=invitation: invitations.revoke(invitation=one)),
                ]
            )

            invitation.refresh_from_db()
            is_member = UserRole.objects.filter(user=person).exists()
            assert (accepted == "done") == is_member == (invitation.status == "accepted")
            assert (revoked == "done") == (invitation.status == "revoked")


class TestAcceptingWhatIsBeingSentAgain:
    def test_opens_by_the_old_link_or_not_at_all(self, organization, owner):
        invitation, token = make_invited(organization, owner)
        person = make_verified()
        Invitation.objects.update(created_at=invitation.created_at - invitations.LIFETIME)

        accepted, _ = at_once(
            [
                accept_as(person, invitation, token),
                code_of(lambda: invitations.resend(invitation=invitation, by=owner)),
            ]
        )

        invitation.refresh_from_db()
        assert (accepted == "done") == (invitation.status == "accepted")
        assert UserRole.objects.filter(user=person).exists() == (accepted == "done")


class TestAcceptingWhileTheInviterIsRemoved:
    def test_never_counts_after_the_removal(self, organization, owner):
        for number in range(ROUNDS):
            admin = make_member(organization, "admin")
            email = f"p{number}@example.com"
            invitation, token = make_invited(organization, admin, email=email)
            person = make_verified(email)

            accepted, removed = at_once(
                [
                    accept_as(person, invitation, token),
                    code_of(
                        lambda admin=admin: members.remove_member(
                            organization=organization, user=admin, by=owner
                        )
                    ),
                ]
            )

            invitation.refresh_from_db()
            assert removed == "done"
            assert invitation.status == ("accepted" if accepted == "done" else "revoked")


class TestInvitingOneAddressAtOnce:
    def test_makes_one_invitation(self, organization, owner):
        outcomes = at_once([code_of(lambda: make_invitation(organization, owner))] * RACERS)

        assert sorted(outcomes) == ["done"] + ["invitation_exists"] * (RACERS - 1)
        assert Invitation.objects.count() == 1

    def test_never_passes_the_limit_of_the_day(self, organization, owner, settings):
        settings.INVITATIONS_PER_DAY = 3
        works = [
            code_of(
                lambda n=number: make_invitation(organization, owner, email=f"p{n}@example.com")
            )
            for number in range(RACERS)
        ]

        outcomes = at_once(works)

        assert outcomes.count("done") == 3
        assert outcomes.count("invitation_limit_reached") == RACERS - 3


class TestSendingFromManyWorkers:
    def test_sends_each_mail_once(self, organization, owner, mailoutbox):
        for number in range(10):
            make_invitation(organization, owner, email=f"p{number}@example.com")

        done = at_once([lambda: send_round("invitations", limit=4)] * 4)

        assert sum(one.mails for one in done) == len(mailoutbox) == 10
        assert len({message.to[0] for message in mailoutbox}) == 10


class TestTwoOwnersWhoLeaveAtOnce:
    def test_leave_one_behind(self, owner):
        for _ in range(ROUNDS):
            organization = make_organization(owner=owner)
            second = make_member(organization, "owner")

            outcomes = at_once(
                [
                    code_of(
                        lambda one=one, where=organization: members.leave(
                            organization=where, user=one
                        )
                    )
                    for one in (owner, second)
                ]
            )

            assert sorted(outcomes) == ["done", "last_owner"]

    def test_do_not_demote_each_other(self, owner):
        for _ in range(ROUNDS):
            organization = make_organization(owner=owner)
            second = make_member(organization, "owner")

            def demote(user: User, by: User, where: Organization = organization) -> None:
                members.set_roles(
                    organization=where, user=user, roles=[find_role(where, "admin")], by=by
                )

            outcomes = at_once(
                [
                    code_of(lambda demote=demote, a=owner, b=second: demote(a, b)),
                    code_of(lambda demote=demote, a=second, b=owner: demote(a, b)),
                ]
            )

            assert sorted(outcomes) == ["done", "member_outranks_you"]

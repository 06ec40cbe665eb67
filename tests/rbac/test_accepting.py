"""The link of an invitation: who gets in by it, and who does not."""

from contextlib import suppress

import pytest
import structlog
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.errors import DomainError
from apps.rbac.errors import InvitationNotOpen
from apps.rbac.models import Invitation, UserRole
from apps.rbac.services import accepting, invitations, members
from apps.rbac.services.roles import system_role
from apps.tenants.models import AuditLog, Organization, User
from config.logs import hide_links
from tests.people import make_member, make_organization, make_person, signed_in
from tests.rbac.inviting import PASSWORD, make_invited, make_verified, send_mails

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person(full_name="Ada Acker")


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def invited(organization, owner):
    return make_invited(organization, owner)


@pytest.fixture
def invitation(invited):
    return invited[0]


@pytest.fixture
def link(invited):
    return f"/invitations/{invited[1]}/"


def roles_in(organization, email="new@example.com"):
    found = UserRole.objects.filter(organization=organization, user__email=email)
    return list(found.values_list("role__name", flat=True))


def sign_up(link, client=None, **changes):
    form = {"full_name": "Nia New", "password": PASSWORD, **changes}
    return (client or Client()).post(link, form)


class TestSomebodyWithAnAccount:
    def test_joins_by_one_press(self, organization, invitation, link):
        client = signed_in(make_verified())

        assert "Join Acme" in client.get(link).content.decode()
        assert roles_in(organization) == []
        response = client.post(link)

        assert response.url == f"/o/{organization.slug}/start/"
        assert roles_in(organization) == ["member"]
        invitation.refresh_from_db()
        assert (invitation.status, invitation.accepted_by.email) == ("accepted", "new@example.com")
        entry = AuditLog.objects.get(action="invitation.accept")
        assert entry.actor == f"user:{invitation.accepted_by.public_id}"

    def test_joins_once_from_two_tabs(self, organization, link):
        client = signed_in(make_verified())
        pages = [client.post(link) for _ in range(2)]

        assert {page.status_code for page in pages} == {302}
        assert roles_in(organization) == ["member"]
        assert AuditLog.objects.filter(action="invitation.accept").count() == 1
        assert client.get(link).url == f"/o/{organization.slug}/start/"

    def test_may_use_any_address_that_he_verified(self, organization, link):
        person = make_verified("other@example.com")
        EmailAddress.objects.create(user=person, email="New@example.com", verified=True)

        signed_in(person).post(link)

        assert roles_in(organization, "other@example.com") == ["member"]

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_is_refused_with_another_address(self, organization, link, method):
        client = signed_in(make_verified("other@example.com"))

        response = getattr(client, method)(link)

        page = response.content.decode()
        assert response.status_code == 403
        assert "This invitation is for new@example.com" in page
        assert "Sign out and go on" in page
        assert roles_in(organization, "other@example.com") == []

    def test_is_refused_before_he_verified_the_address(self, organization, link):
        person = make_verified("other@example.com")
        EmailAddress.objects.create(user=person, email="new@example.com", verified=False)

        response = signed_in(person).post(link)

        assert response.status_code == 403
        assert "/accounts/email/" in response.content.decode()
        assert roles_in(organization, "other@example.com") == []

    def test_is_never_signed_in_by_the_link(self, client, link):
        make_verified()

        page = client.get(link).content.decode()
        sign_up(link, client)

        assert f"/accounts/login/?next={link.replace('/', '%2F')}" in page
        assert "_auth_user_id" not in client.session
        assert User.objects.filter(email="new@example.com").count() == 1

    def test_keeps_the_roles_that_he_got_meanwhile(self, organization, link):
        person = make_verified()
        UserRole.objects.create(
            user=person, role=system_role("read-only"), organization=organization
        )

        signed_in(person).post(link)

        assert roles_in(organization) == ["read-only"]

    def test_does_not_come_back_by_the_old_link_after_removal(self, organization, owner, link):
        person = make_verified()
        client = signed_in(person)
        client.post(link)
        members.remove_member(organization=organization, user=person, by=owner)

        assert client.post(link).status_code == 409
        assert roles_in(organization) == []


class TestSomebodyNew:
    def test_signs_up_with_the_address_verified_and_joins(self, client, organization, link):
        response = sign_up(link, client)

        person = User.objects.get(email="new@example.com")
        assert response.url == f"/o/{organization.slug}/start/"
        assert client.session["_auth_user_id"] == str(person.pk)
        assert person.full_name == "Nia New"
        assert person.check_password(PASSWORD)
        assert EmailAddress.objects.get(user=person).verified
        assert roles_in(organization) == ["member"]
        assert Organization.objects.count() == 1

    def test_is_asked_for_the_role_and_not_for_the_address(self, client, link):
        page = client.get(link).content.decode()

        assert "Ada Acker invites you as member" in page
        assert 'name="email"' not in page

    def test_cannot_choose_another_address(self, link):
        sign_up(link, email="evil@example.com")

        assert not User.objects.filter(email="evil@example.com").exists()

    @pytest.mark.parametrize(
        "changes",
        [
            {"full_name": ""},
            {"password": "short"},
            {"password": "password123456"},
            {"password": "new@example.com"},
        ],
    )
    def test_is_told_what_is_wrong(self, link, changes):
        response = sign_up(link, **changes)

        assert response.status_code == 200
        assert "needs your attention" in response.content.decode()
        assert not User.objects.filter(email="new@example.com").exists()

    def test_uses_the_link_once(self, organization, link):
        sign_up(link)

        response = sign_up(link, full_name="Somebody Else")

        assert response.status_code == 409
        assert roles_in(organization) == ["member"]
        assert not User.objects.filter(full_name="Somebody Else").exists()

    def test_is_not_new_with_the_second_address_of_an_account(self, client, link):
        person = make_verified("other@example.com")
        EmailAddress.objects.create(user=person, email="new@example.com", verified=True)

        assert "There is an account" in client.get(link).content.decode()
        assert "There is an account" in sign_up(link, client).content.decode()
        assert not User.objects.filter(email="new@example.com").exists()
        assert "_auth_user_id" not in client.session

    def test_leaves_nothing_behind_when_joining_fails(self, link, organization, owner):
        make_member(organization, "owner")
        UserRole.objects.filter(user=owner).update(role=system_role("member"))

        assert sign_up(link).status_code == 409
        assert not User.objects.filter(email="new@example.com").exists()
        assert not EmailAddress.objects.exists()


class TestALinkThatHasEnded:
    def refused(self, link, *, status=409):
        for client in (Client(), signed_in(make_verified(f"p{User.objects.count()}@example.com"))):
            response = client.get(link)
            assert response.status_code == status
            assert "alert" in response.content.decode()
        assert sign_up(link).status_code == status
        assert not User.objects.filter(email="new@example.com").exists()

    def test_by_revocation(self, link, invitation):
        invitations.revoke(invitation=invitation)

        self.refused(link)

    def test_by_time(self, link, invitation):
        Invitation.objects.update(expires_at=timezone.now())

        self.refused(link)

    def test_by_the_end_of_the_organization(self, link, organization):
        Organization.objects.update(is_active=False)

        self.refused(link)

    def test_by_a_newer_mail(self, link, invitation):
        Invitation.objects.update(mail_due_at=timezone.now())
        send_mails()

        self.refused(link, status=404)

    @pytest.mark.parametrize("token", ["x", "cof_invite_" + "A" * 43, "cof_invite_" + "A" * 42])
    def test_or_never_was(self, client, token):
        assert client.get(f"/invitations/{token}/").status_code == 404

    def test_between_the_look_and_the_press(self, invited):
        invitation, token = invited
        person = make_verified()
        Invitation.objects.update(digest=b"n" * 32)

        with pytest.raises(InvitationNotOpen):
            accepting.accept(invitation=invitation, user=person, token=token)


class TestTheLocks:
    def test_are_taken_in_one_order_whoever_takes_them(self, invited, owner):
        invitation, token = invited
        works = [
            lambda: accepting.accept(invitation=invitation, user=make_verified(), token=token),
            lambda: invitations.resend(invitation=invitation, by=owner),
            lambda: members.remove_member(
                organization=invitation.organization, user=owner, by=owner
            ),
        ]
        make_member(invitation.organization, "owner")

        for work in reversed(works):
            with CaptureQueriesContext(connection) as queries, suppress(DomainError):
                work()
            locks = [one["sql"] for one in queries if " FOR " in one["sql"]]
            assert "tenants_organization" in locks[0]
            assert locks[0].endswith("FOR NO KEY UPDATE")


class TestTheInviter:
    @pytest.mark.parametrize("role", ["member", "billing manager"])
    def test_must_have_the_right_when_it_is_accepted(self, organization, owner, link, role):
        make_member(organization, "owner")
        UserRole.objects.filter(user=owner, organization=organization).update(
            role=system_role(role)
        )

        response = signed_in(make_verified()).post(link)

        assert response.status_code == 409
        assert roles_in(organization) == []

    def test_cannot_leave_an_owner_behind_whom_he_could_not_make(self, organization):
        second = make_member(organization, "owner")
        _, token = make_invited(organization, second, role="owner")
        UserRole.objects.filter(user=second).update(role=system_role("admin"))

        response = signed_in(make_verified()).post(f"/invitations/{token}/")

        assert response.status_code == 409
        assert roles_in(organization) == []

    def test_takes_his_invitations_along_when_he_is_removed(self, organization, owner):
        admin = make_member(organization, "admin")
        invitation, _ = make_invited(organization, admin, email="friend@example.com")

        members.remove_member(organization=organization, user=admin, by=owner)

        invitation.refresh_from_db()
        assert invitation.status == "revoked"


class TestTheSecretOfALink:
    def test_stays_out_of_the_logs(self, link, invited, settings):
        line = hide_links(None, "", {"request": f"GET {link}", "code": 200})

        assert line == {"request": "GET /invitations/cof_invite_…/", "code": 200}
        assert hide_links in settings.LOGGING["formatters"]["structured"]["foreign_pre_chain"]
        assert hide_links in structlog.get_config()["processors"]

    def test_is_not_kept_by_browsers_and_caches(self, client, link):
        response = client.get(link)

        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "same-origin"

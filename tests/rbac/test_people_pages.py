"""The pages of members and invitations."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.clock import moved_to
from apps.rbac.models import Invitation, UserRole
from apps.rbac.pages import inviting as inviting_pages
from apps.rbac.pages import members as member_pages
from apps.rbac.pages.people_forms import InviteForm
from apps.rbac.selectors import roles_in
from apps.rbac.services import invitations
from apps.rbac.services.roles import system_role
from tests.people import give_second_factor, make_member, make_organization, make_person, signed_in
from tests.rbac.inviting import make_invitation, make_invited

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person(full_name="Ada Acker")


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def client(owner):
    return signed_in(owner)


@pytest.fixture
def here(organization):
    return f"/o/{organization.slug}/members/"


def text_of(response, status=200):
    assert response.status_code == status, response.content
    return response.content.decode()


def forms_in(page):
    return set(re.findall(r'<form[^>]+action="([^"]+)"', page))


class TestTheListOfMembers:
    def test_shows_who_in_which_role(self, client, organization, here):
        make_member(organization, "developer", full_name="Dee Deveraux", email="dee@example.com")
        make_member(make_organization(), "member", full_name="Mallory")

        page = text_of(client.get(here))

        assert "Dee Deveraux" in page
        assert "dee@example.com" in page
        assert "developer" in page
        assert "Mallory" not in page

    def test_finds_by_name_role_and_status(self, client, organization, here):
        make_member(organization, "developer", full_name="Dee Deveraux")
        make_member(organization, "member", full_name="Mei Mensah", is_active=False)

        for query, shown, hidden in [
            ("q=dee", "Dee", "Mei"),
            ("role=member", "Mei", "Dee"),
            ("status=inactive", "Mei", "Dee"),
            ("status=active", "Dee", "Mei"),
        ]:
            page = text_of(client.get(f"{here}?{query}"))
            assert shown in page, query
            assert hidden not in page, query
        assert "Nobody matches" in text_of(client.get(f"{here}?q=zzz"))

    def test_goes_on_where_the_page_before_ended(self, client, organization, here, monkeypatch):
        monkeypatch.setattr(member_pages, "PAGE_SIZE", 2)
        people = {make_member(organization, "member", full_name=f"P{n}!").email for n in range(4)}
        url, seen = here, []
        while url:
            page = text_of(client.get(url))
            seen += re.findall(r"[\w-]+@example\.com(?=</span>)", page)
            found = re.search(r'href="([^"]+)" rel="next"', page)
            url = found and found[1].replace("&amp;", "&")

        assert people <= set(seen)
        assert len(seen) == len(set(seen))

    def test_begins_at_the_beginning_after_a_stranger(self, client, here, owner):
        stranger = make_person()

        page = text_of(client.get(f"{here}?after={stranger.public_id}"))

        assert owner.full_name in page

    def test_gives_all_that_was_asked_for_as_csv(self, client, organization, here):
        make_member(organization, "member", full_name="=1+1", email="m@example.com")

        response = client.get(f"{here}?format=csv&role=member")

        lines = b"".join(response.streaming_content).decode().splitlines()
        assert lines[0] == "id,email,name,roles,status,joined_at,last_active_at"
        assert len(lines) == 2
        assert ",m@example.com,'=1+1,member,active," in lines[1]

    def test_asks_as_often_for_many(self, client, organization, here):
        counts = []
        for more in (1, 10):
            for _ in range(more):
                make_member(organization, "member")
            client.get(here)
            with CaptureQueriesContext(connection) as queries:
                client.get(here)
            counts.append(len(queries))

        assert counts[0] == counts[1] <= 20  # eight are the banner's

    def test_tells_those_who_may_change_members_who_has_no_second_factor(self, organization, here):
        admin = make_member(organization, "admin")
        member = make_member(organization, "member")
        for person in (admin, member):
            give_second_factor(person)

        told = text_of(signed_in(admin).get(here))

        assert told.count("No second factor") == 1  # the owner's
        assert "No second factor" not in text_of(signed_in(member).get(here))

    @pytest.mark.parametrize("role", ["member", "read-only", "billing manager"])
    def test_offers_no_change_to_those_who_may_not(self, organization, here, role):
        page = text_of(signed_in(make_member(organization, role)).get(here))

        assert not [action for action in forms_in(page) if "/role/" in action]
        assert not [action for action in forms_in(page) if "/remove/" in action]

    @pytest.mark.parametrize("role", ["developer", "partner manager"])
    def test_is_not_for_everyone(self, organization, here, role):
        assert signed_in(make_member(organization, role)).get(here).status_code == 403

    def test_is_nowhere_for_strangers(self, here):
        assert signed_in(make_person()).get(here).status_code == 404


class TestChangingAMember:
    def test_gives_another_role(self, client, organization, here):
        person = make_member(organization, "member", full_name="Mei Mensah")

        response = client.post(
            f"{here}{person.public_id}/role/", {"role": system_role("admin").pk}, follow=True
        )

        assert "Mei Mensah is admin now" in text_of(response)
        assert UserRole.objects.get(user=person).role.name == "admin"

    @pytest.mark.parametrize("role", ["nonsense", ""])
    def test_minds_a_wrong_role(self, client, organization, here, role):
        person = make_member(organization, "member")

        response = client.post(f"{here}{person.public_id}/role/", {"role": role}, follow=True)

        assert "Choose one of the roles" in text_of(response)
        assert UserRole.objects.get(user=person).role.name == "member"

    def test_offers_only_what_the_viewer_may_give(self, organization, here):
        make_member(organization, "member")
        page = text_of(signed_in(make_member(organization, "admin")).get(here))
        offered = set(re.findall(r'<option value="([0-9a-f-]{36})"', page))

        assert str(system_role("admin").pk) in offered
        assert str(system_role("owner").pk) not in offered
        assert str(system_role("billing manager").pk) not in offered
        assert str(system_role("credit clerk").pk) not in offered

    def test_has_no_role_chosen_before_somebody_chooses(self, client, organization, here):
        make_member(organization, "member")
        page = text_of(client.get(here))

        assert '<option value="" selected>Choose a role</option>' in page

    def test_refuses_what_was_not_offered(self, organization, here):
        person = make_member(organization, "member")
        admin = signed_in(make_member(organization, "admin"))

        response = admin.post(f"{here}{person.public_id}/role/", {"role": system_role("owner").pk})

        assert "You cannot give this role" in text_of(response, 403)

    def test_removes(self, client, organization, here):
        person = make_member(organization, "member", full_name="Mei Mensah")

        response = client.post(f"{here}{person.public_id}/remove/", follow=True)

        assert "Mei Mensah is removed" in text_of(response)
        assert not UserRole.objects.filter(user=person).exists()

    @pytest.mark.parametrize("action", ["role", "remove"])
    def test_is_not_for_members(self, organization, here, owner, action):
        member = signed_in(make_member(organization, "member"))

        assert member.post(f"{here}{owner.public_id}/{action}/").status_code == 403

    @pytest.mark.parametrize("action", ["role", "remove"])
    def test_finds_nobody_of_other_organizations(self, client, here, action):
        stranger = make_member(make_organization(), "member")

        for user_id in (stranger.public_id, "usr_nobody"):
            response = client.post(f"{here}{user_id}/{action}/")
            assert response.status_code == 404
        assert UserRole.objects.filter(user=stranger).exists()

    @pytest.mark.parametrize("path", ["{0}/role/", "{0}/remove/"])
    def test_is_no_get(self, client, here, owner, path):
        assert client.get(here + path.format(owner.public_id)).status_code == 405


class TestLeaving:
    def test_leads_to_the_other_organizations(self, organization, here):
        person = make_member(organization, "developer")
        client = signed_in(person)

        assert f"{here}leave/" in forms_in(text_of(client.get(f"/o/{organization.slug}/settings/")))
        response = client.post(f"{here}leave/", follow=True)

        assert "You have left Acme" in text_of(response)
        assert client.get(f"/o/{organization.slug}/settings/").status_code == 404

    def test_is_refused_to_the_last_owner(self, client, here):
        assert "/problems/last_owner" in text_of(client.post(f"{here}leave/"), 409)


class TestInviting:
    def test_tells_of_each_pasted_address(self, client, here, organization):
        pasted = "Ann Ash <Ann@Example.com>, bob@example.com;\n\nnonsense\n ann@example.com "

        page = text_of(
            client.post(f"{here}invitations/", {"emails": pasted, "role": system_role("member").pk})
        )

        assert "2 of 4 addresses could not be invited" in page
        assert "nonsense is no e-mail address" in page
        assert "ann@example.com has an open invitation already" in page
        invited = Invitation.objects.filter(organization=organization)
        assert {one.email for one in invited} == {"ann@example.com", "bob@example.com"}
        left = re.search(r"<textarea[^>]*>\s*(.*?)</textarea>", page, re.S)[1]
        assert left.split() == ["nonsense", "ann@example.com"]

    def test_shows_refusals_on_the_form(self, client, here):
        role = system_role("member").pk
        too_many = "\n".join(f"p{n}@example.com" for n in range(201))

        page = text_of(client.post(f"{here}invitations/", {"emails": too_many, "role": role}))

        assert "At most 200 addresses" in page
        assert not Invitation.objects.exists()

    def test_takes_no_role_above_the_inviters(self, organization, here):
        admin = signed_in(make_member(organization, "admin"))

        page = text_of(
            admin.post(
                f"{here}invitations/",
                {"emails": "a@example.com", "role": system_role("owner").pk},
            )
        )

        assert "needs your attention" in page
        assert not Invitation.objects.exists()

    def test_is_not_for_members(self, organization, here):
        member = signed_in(make_member(organization, "member"))

        assert "<textarea" not in text_of(member.get(f"{here}invitations/"))
        response = member.post(
            f"{here}invitations/", {"emails": "a@b.de", "role": system_role("member").pk}
        )
        assert response.status_code == 403
        assert not Invitation.objects.exists()


class TestTheListOfInvitations:
    def test_shows_states_and_never_a_link(self, client, organization, owner, here):
        _, token = make_invited(organization, owner, email="a@example.com")
        late = make_invitation(organization, owner, email="b@example.com")
        Invitation.objects.filter(pk=late.pk).update(expires_at=timezone.now())

        page = text_of(client.get(f"{here}invitations/"))
        only_late = text_of(client.get(f"{here}invitations/?status=expired"))

        assert "a@example.com" in page
        assert "Expired" in page
        assert token not in page
        assert "a@example.com" not in only_late
        assert "b@example.com" in only_late

    def test_says_when_a_mail_did_not_go_out(self, client, organization, owner, here):
        make_invitation(organization, owner)
        assert "On its way" in text_of(client.get(f"{here}invitations/"))
        Invitation.objects.update(mail_due_at=None)

        assert "The mail could not be sent" in text_of(client.get(f"{here}invitations/"))

    def test_goes_on_where_the_page_before_ended(
        self, client, organization, owner, here, monkeypatch
    ):
        monkeypatch.setattr(inviting_pages, "PAGE_SIZE", 2)
        for number in range(5):
            make_invitation(organization, owner, email=f"p{number}@example.com")
        url, seen = f"{here}invitations/", []
        while url:
            page = text_of(client.get(url))
            seen += re.findall(r"font-medium\">(p\d@example\.com)", page)
            found = re.search(r'href="([^"]+)" rel="next"', page)
            url = found and found[1].replace("&amp;", "&")

        assert seen == [f"p{number}@example.com" for number in (4, 3, 2, 1, 0)]

    def test_asks_as_often_for_many(self, client, organization, owner, here):
        counts = []
        for more in (1, 10):
            for number in range(more):
                make_invitation(organization, owner, email=f"p{more}-{number}@example.com")
            client.get(f"{here}invitations/")
            with CaptureQueriesContext(connection) as queries:
                client.get(f"{here}invitations/")
            counts.append(len(queries))

        assert counts[0] == counts[1] <= 20  # eight are the banner's


class TestOneInvitation:
    @pytest.fixture
    def invitation(self, organization, owner):
        return make_invitation(organization, owner)

    def test_is_sent_again(self, client, here, invitation):
        url = f"{here}invitations/{invitation.public_id}/resend/"
        assert url not in text_of(client.get(f"{here}invitations/"))
        assert client.post(url).status_code == 429

        with moved_to(timezone.now() + timedelta(minutes=11)):
            assert url in text_of(client.get(f"{here}invitations/"))
            response = client.post(url, follow=True)

        assert "goes to new@example.com again" in text_of(response)

    def test_is_revoked(self, client, here, invitation):
        url = f"{here}invitations/{invitation.public_id}/revoke/"
        assert url in forms_in(text_of(client.get(f"{here}invitations/")))

        response = client.post(url, follow=True)

        assert "is revoked" in text_of(response)
        assert url not in text_of(client.get(f"{here}invitations/"))

    @pytest.mark.parametrize("action", ["resend", "revoke"])
    def test_is_left_alone_by_members_and_strangers(
        self, organization, owner, here, invitation, action
    ):
        path = f"invitations/{invitation.public_id}/{action}/"
        member = signed_in(make_member(organization, "member"))
        other = make_organization(owner=owner)

        assert member.post(here + path).status_code == 403
        assert signed_in(owner).post(f"/o/{other.slug}/members/{path}").status_code == 404
        assert signed_in(owner).post(f"{here}invitations/inv_no/{action}/").status_code == 404
        invitation.refresh_from_db()
        assert (invitation.status, invitation.resends) == ("pending", 0)


class TestTheBackOffice:
    @pytest.fixture
    def root(self):
        return signed_in(make_person(is_staff=True, is_superuser=True))

    def test_lists_invitations_without_digests(self, root, organization, owner):
        invitation, token = make_invited(organization, owner)
        digest = bytes(invitation.digest).hex()

        for path in ("", f"{invitation.pk}/change/"):
            page = text_of(root.get(f"/admin/rbac/invitation/{path}"))
            assert "new@example.com" in page
            assert digest not in page
            assert token not in page
            assert "Digest" not in page

    def test_revokes_and_tells_what_it_could_not(self, root, organization, owner):
        one = make_invitation(organization, owner, email="a@example.com")
        two = make_invitation(organization, owner, email="b@example.com")
        Invitation.objects.filter(pk=two.pk).update(
            status="accepted", ended_at=timezone.now(), mail_due_at=None
        )

        page = text_of(
            root.post(
                "/admin/rbac/invitation/",
                {"action": "revoke", "_selected_action": [one.pk, two.pk]},
                follow=True,
            )
        )

        assert "The invitation of a@example.com is revoked" in page
        assert "b@example.com: This invitation is accepted" in page
        one.refresh_from_db()
        assert one.status == "revoked"

    def test_changes_nothing_else(self, root, organization, owner):
        invitation = make_invitation(organization, owner)

        assert root.get("/admin/rbac/invitation/add/").status_code == 403
        assert root.post(f"/admin/rbac/invitation/{invitation.pk}/delete/").status_code == 403


def test_pasted_addresses_are_read_as_people_have_them():
    form = InviteForm(
        {
            "emails": 'a@x.de,b@x.de ; "Ash, Ann" <c@x.de>\r\n\n  d@x.de  ',
            "role": system_role("member").pk,
        },
        roles=roles_in(make_organization()),
    )

    assert form.is_valid()
    assert form.addresses == ["a@x.de", "b@x.de", '"Ash', "c@x.de", "d@x.de"]


def test_a_revoked_invitation_may_be_followed_by_another():
    owner = make_person()
    organization = make_organization(owner=owner)
    invitations.revoke(invitation=make_invitation(organization, owner))

    assert make_invitation(organization, owner).status == "pending"

"""The API of members and invitations."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.clock import moved_to
from apps.rbac.models import ApiKey, Invitation, UserRole
from apps.rbac.permissions import SCOPES
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key
from tests.problem_documents import problem_of
from tests.rbac.inviting import make_invitation, make_invited, make_verified

pytestmark = pytest.mark.django_db
MEMBERS, INVITATIONS = "/api/v1/members", "/api/v1/invitations"


@pytest.fixture
def owner():
    return make_person(full_name="Ada Acker")


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def client(owner):
    return signed_in(owner)


def send(client, method, url, body=None):
    return getattr(client, method)(url, body, content_type="application/json")


class TestMembers:
    def test_are_listed_with_roles_and_activity(self, client, organization, owner):
        person = make_member(organization, "member", full_name="Mei Mensah")
        make_member(make_organization(), "member")

        body = client.get(MEMBERS).json()

        assert [one["id"] for one in body["data"]] == [person.public_id, owner.public_id]
        first = body["data"][0]
        assert first == {
            "id": person.public_id,
            "object": "member",
            "email": person.email,
            "full_name": "Mei Mensah",
            "roles": ["member"],
            "active": True,
            "joined_at": first["joined_at"],
            "last_active_at": None,
        }

    def test_are_turned_page_by_page_and_filtered(self, client, organization):
        for _ in range(3):
            make_member(organization, "member")
        make_member(organization, "developer", is_active=False)

        url, seen = f"{MEMBERS}?role=member&active=true&limit=2", []
        while url:
            body = client.get(url).json()
            seen += [one["id"] for one in body["data"]]
            cursor = body["next_cursor"]
            url = cursor and f"{MEMBERS}?role=member&active=true&limit=2&cursor={cursor}"

        assert len(seen) == len(set(seen)) == 3
        assert len(client.get(f"{MEMBERS}?active=false").json()["data"]) == 1
        assert len(client.get(MEMBERS).json()["data"]) == 5

    def test_refuse_parameters_that_are_not_known(self, client, organization):
        problem_of(client.get(f"{MEMBERS}?name=x"), 400, "validation_error")

    def test_change_their_role(self, client, organization):
        person = make_member(organization, "member")

        body = send(client, "patch", f"{MEMBERS}/{person.public_id}", {"role": "admin"}).json()

        assert body["roles"] == ["admin"]
        wrong = send(client, "patch", f"{MEMBERS}/{person.public_id}", {"role": "king"})
        problem_of(wrong, 400, "unknown_role")

    def test_are_removed(self, client, organization):
        person = make_member(organization, "member")

        assert client.delete(f"{MEMBERS}/{person.public_id}").status_code == 204
        problem_of(client.get(f"{MEMBERS}/{person.public_id}"), 404, "not_found")
        assert not UserRole.objects.filter(user=person).exists()

    def test_leave(self, client, organization):
        person = make_member(organization, "developer")

        assert signed_in(person).post(f"{MEMBERS}/leave").status_code == 204
        problem_of(signed_in(person).get("/api/v1/me"), 404, "not_found")
        problem_of(client.post(f"{MEMBERS}/leave"), 409, "last_owner")

    def test_do_not_leave_by_key(self, organization, owner):
        make_member(organization, "owner")
        _, secret = make_key(organization, owner, "organization:read")

        problem_of(with_key(secret).post(f"{MEMBERS}/leave"), 403, "permission_denied")
        assert UserRole.objects.filter(user=owner).exists()

    def test_of_other_organizations_do_not_exist(self, client, organization):
        stranger = make_member(make_organization(), "member")
        url = f"{MEMBERS}/{stranger.public_id}"

        for response in (
            client.get(url),
            send(client, "patch", url, {"role": "admin"}),
            client.delete(url),
            client.get(f"{MEMBERS}/usr_nobody"),
        ):
            problem_of(response, 404, "not_found")
        assert UserRole.objects.filter(user=stranger).exists()

    def test_are_changed_only_by_those_who_may(self, organization, owner):
        member = signed_in(make_member(organization, "member"))
        url = f"{MEMBERS}/{owner.public_id}"

        assert member.get(url).status_code == 200
        problem_of(send(member, "patch", url, {"role": "member"}), 403, "permission_denied")
        problem_of(member.delete(url), 403, "permission_denied")


class TestAKey:
    def test_removes_and_reads_by_its_scopes(self, organization, owner):
        person = make_member(organization, "member")
        _, reading = make_key(organization, owner, "members:read")
        _, writing = make_key(organization, owner, "members:write")
        url = f"{MEMBERS}/{person.public_id}"

        problem_of(with_key(reading).delete(url), 403, "permission_denied")
        assert with_key(reading).get(url).status_code == 200
        assert with_key(writing).delete(url).status_code == 204

    def test_gives_no_role_beyond_its_scopes(self, organization, owner):
        _, secret = make_key(organization, owner, "members:write", "members:read")
        _, mighty = make_key(organization, owner, *SCOPES)
        body = {"email": "a@example.com", "role": "member"}

        refused = send(with_key(secret), "post", INVITATIONS, body)

        problem_of(refused, 403, "role_not_held")
        assert send(with_key(mighty), "post", INVITATIONS, body).status_code == 201
        owner_role = send(
            with_key(mighty), "post", INVITATIONS, {**body, "email": "b@b.de", "role": "owner"}
        )
        problem_of(owner_role, 403, "role_not_held")


class TestInvitations:
    def test_are_made(self, client, organization, owner):
        response = send(
            client, "post", INVITATIONS, {"email": "New@Example.com", "role": "developer"}
        )

        body = response.json()
        assert response.status_code == 201
        assert response["Location"] == f"{INVITATIONS}/{body['id']}"
        assert (body["email"], body["role"]) == ("new@example.com", "developer")
        assert (body["status"], body["invited_by"]) == ("pending", owner.public_id)
        assert not {"token", "digest", "url"} & body.keys()
        assert client.get(response["Location"]).json() == body

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"email": "nonsense", "role": "member"}, 400, "invalid_address"),
            ({"email": "a@example.com", "role": "king"}, 400, "unknown_role"),
            ({"email": "a@example.com"}, 400, "validation_error"),
            ({"email": "taken@example.com", "role": "member"}, 409, "invitation_exists"),
            ({"email": "member@example.com", "role": "member"}, 409, "already_member"),
        ],
    )
    def test_are_refused(self, client, organization, owner, body, status, code):
        make_invitation(organization, owner, email="taken@example.com")
        make_member(organization, "member", email="member@example.com")

        problem_of(send(client, "post", INVITATIONS, body), status, code)
        assert Invitation.objects.count() == 1

    def test_are_limited_and_say_when_to_come_back(self, client, organization, settings):
        settings.INVITATIONS_PER_DAY = 0

        response = send(client, "post", INVITATIONS, {"email": "a@b.de", "role": "member"})

        problem_of(response, 429, "invitation_limit_reached")
        assert int(response["Retry-After"]) > 0

    def test_are_made_in_batches(self, client, organization):
        emails = ["a@example.com", "nonsense", "", "A@EXAMPLE.com"]

        body = send(
            client, "post", f"{INVITATIONS}/batch", {"emails": emails, "role": "member"}
        ).json()

        assert (body["invited"], body["failed"]) == (1, 3)
        assert body["rows"][0]["invitation"]["email"] == "a@example.com"
        assert [row["error"] and row["error"]["code"] for row in body["rows"]] == [
            None,
            "invalid_address",
            "invalid_address",
            "invitation_exists",
        ]

    def test_are_listed_by_status(self, client, organization, owner):
        make_invitation(organization, owner)
        make_invitation(make_organization(owner=(other := make_person())), other, email="x@a.de")

        data = client.get(f"{INVITATIONS}?status=pending").json()["data"]

        assert [one["email"] for one in data] == ["new@example.com"]
        assert client.get(f"{INVITATIONS}?status=revoked").json()["data"] == []
        problem_of(client.get(f"{INVITATIONS}?status=open"), 400, "validation_error")

    def test_are_sent_again_and_revoked(self, client, organization, owner):
        invitation = make_invitation(organization, owner)
        url = f"{INVITATIONS}/{invitation.public_id}"

        early = client.post(f"{url}/resend")
        with moved_to(timezone.now() + timedelta(hours=1)):
            again = client.post(f"{url}/resend")

        problem_of(early, 429, "invitation_sent_recently")
        assert 0 < int(early["Retry-After"]) <= 601
        assert again.json()["resends"] == 1
        assert client.post(f"{url}/revoke").json()["status"] == "revoked"
        problem_of(client.post(f"{url}/resend"), 409, "invitation_not_open")

    @pytest.mark.parametrize("path", ["", "/resend", "/revoke"])
    def test_of_other_organizations_do_not_exist(self, client, organization, path):
        other = make_person()
        foreign = make_invitation(make_organization(owner=other), other)
        method = client.post if path else client.get

        answers = [
            method(f"{INVITATIONS}/{invitation_id}{path}")
            for invitation_id in (foreign.public_id, "inv_nothing")
        ]

        for answer in answers:
            problem_of(answer, 404, "not_found")

    @pytest.mark.parametrize("path", ["", "/batch", "/{id}/resend", "/{id}/revoke"])
    def test_are_not_for_members(self, organization, owner, path):
        invitation = make_invitation(organization, owner)
        member = signed_in(make_member(organization, "member"))

        response = member.post(INVITATIONS + path.format(id=invitation.public_id))

        problem_of(response, 403, "permission_denied")


class TestAcceptingByApi:
    def test_joins(self, organization, owner):
        _, token = make_invited(organization, owner)

        response = send(
            signed_in(make_verified()), "post", f"{INVITATIONS}/accept", {"token": token}
        )

        assert response.json() == {
            "object": "membership",
            "organization_id": organization.public_id,
            "organization_slug": organization.slug,
            "role": "member",
        }

    def test_is_refused_to_others_to_keys_and_to_nobody(self, client, organization, owner):
        _, token = make_invited(organization, owner)
        _, secret = make_key(organization, owner, "members:write")
        body = {"token": token}
        url = f"{INVITATIONS}/accept"
        other = signed_in(make_verified("other@example.com"))

        problem_of(send(other, "post", url, body), 403, "invitation_for_another")
        problem_of(send(with_key(secret), "post", url, body), 403, "permission_denied")
        problem_of(send(with_key("nonsense"), "post", url, body), 401, "authentication_required")
        problem_of(send(other, "post", url, {"token": "cof_invite_x"}), 404, "not_found")
        assert ApiKey.objects.count() == 1
        assert UserRole.objects.filter(organization=organization).count() == 1

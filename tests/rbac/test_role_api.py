"""Roles by API: signed-in people change them, with If-Match."""

import pytest

from apps.rbac.models import Role
from apps.rbac.selectors import codes_of, roles_of_member
from apps.rbac.services.custom_roles import create_role
from apps.rbac.services.roles import assign_role, system_role
from tests.people import (
    make_key,
    make_member,
    make_organization,
    make_person,
    signed_in,
    with_key,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def role(owner, organization):
    return create_role(by=owner, organization=organization, name="Reviewer", codes=["jobs.view"])


def patch(client, role, body, version: int | None = 1):
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    return client.patch(
        f"/api/v1/roles/{role.public_id}", body, "application/json", headers=headers
    )


def codes_now(role: Role) -> set[str]:
    return set(codes_of([role])[role.pk])


class TestPermissions:
    def test_are_listed_with_descriptions_and_without_those_for_staff(self, owner, organization):
        found = signed_in(owner).get("/api/v1/permissions").json()["data"]

        codes = {one["code"]: one for one in found}
        assert codes["jobs.submit"]["scope"] == "jobs:write"
        assert "credits.adjust" not in codes
        assert all(one["description"] for one in found)


class TestRoles:
    def test_are_listed_system_roles_first(self, owner, organization, role):
        found = signed_in(owner).get("/api/v1/roles").json()["data"]

        assert [one["is_system_role"] for one in found] == [True] * 8 + [False]
        assert found[-1]["permissions"] == ["jobs.view"]
        assert "credit clerk" not in {one["name"] for one in found}

    def test_can_be_read_with_a_key_and_changed_with_none(self, owner, organization, role):
        _, secret = make_key(organization, owner, "members:read", "members:write")

        assert with_key(secret).get("/api/v1/roles").status_code == 200
        assert patch(with_key(secret), role, {"name": "x"}).status_code == 403

    def test_are_made(self, owner, organization):
        body = {"name": "Editor", "permissions": ["jobs.view", "jobs.submit"]}

        answer = signed_in(owner).post("/api/v1/roles", body, "application/json")

        assert answer.status_code == 201
        assert answer["ETag"] == '"1"'
        role = Role.objects.get(name="Editor")
        assert answer["Location"] == f"/api/v1/roles/{role.public_id}"
        assert codes_now(role) == {"jobs.view", "jobs.submit"}

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"name": "owner"}, "role_name_taken"),
            ({"name": "x", "permissions": ["tea.make"]}, "unknown_permission"),
            ({"name": "x", "permissions": ["credits.adjust"]}, "staff_permission_is_global"),
            ({"name": "x", "permissions": ["organization.close"]}, "permission_not_held"),
            ({"name": ""}, "validation_error"),
        ],
    )
    def test_are_refused(self, organization, body, code):
        client = signed_in(make_member(organization, "admin"))

        answer = client.post("/api/v1/roles", body, "application/json")

        assert answer.json()["code"] == code
        assert not Role.objects.filter(organization=organization).exists()


class TestOneRole:
    def test_is_changed_by_who_has_its_etag(self, owner, organization, role):
        client = signed_in(owner)
        etag = client.get(f"/api/v1/roles/{role.public_id}")["ETag"]

        answer = client.patch(
            f"/api/v1/roles/{role.public_id}",
            {"name": "Editor", "permissions": ["credits.view"]},
            "application/json",
            headers={"If-Match": etag},
        )

        assert answer.status_code == 200
        assert answer["ETag"] == '"2"'
        assert (answer.json()["name"], answer.json()["permissions"]) == ("Editor", ["credits.view"])

    def test_is_not_changed_without(self, owner, role):
        answer = patch(signed_in(owner), role, {"name": "x"}, version=None)

        assert (answer.status_code, answer.json()["code"]) == (428, "version_required")

    def test_is_not_changed_with_an_old_one(self, owner, role):
        patch(signed_in(owner), role, {"permissions": ["credits.view"]})

        answer = patch(signed_in(owner), role, {"permissions": []})

        assert (answer.status_code, answer.json()["code"]) == (412, "role_changed")
        assert codes_now(role) == {"credits.view"}

    def test_keeps_what_is_not_sent(self, owner, role):
        answer = patch(signed_in(owner), role, {"description": "Looks."})

        assert answer.json()["name"] == "Reviewer"
        assert answer.json()["permissions"] == ["jobs.view"]

    def test_of_the_system_is_locked(self, owner, organization):
        answer = patch(signed_in(owner), system_role("member"), {"permissions": []})

        assert (answer.status_code, answer.json()["code"]) == (409, "system_role_locked")

    def test_of_another_organization_looks_like_none(self, role):
        stranger = make_person()
        make_organization(owner=stranger)
        client = signed_in(stranger)

        foreign = client.get(f"/api/v1/roles/{role.public_id}").json()
        missing = client.get(f"/api/v1/roles/{Role(name='x').public_id}").json()

        for body in (foreign, missing):
            body.pop("instance"), body.pop("request_id")
        assert foreign == missing
        assert foreign["status"] == 404

    def test_is_deleted(self, owner, role):
        answer = signed_in(owner).delete(
            f"/api/v1/roles/{role.public_id}", headers={"If-Match": '"1"'}
        )

        assert answer.status_code == 204
        assert not Role.objects.filter(pk=role.pk).exists()

    def test_counts_from_the_next_request_on(self, owner, organization, role):
        person = make_member(organization, "partner manager")
        assign_role(user=person, organization=organization, role=role)
        client = signed_in(person)
        assert client.get("/api/v1/jobs").status_code == 200

        patch(signed_in(owner), role, {"permissions": []})

        assert client.get("/api/v1/jobs").status_code == 403


class TestRolesOfAMember:
    def patch(self, client, member, *roles):
        body = {"roles": [role.public_id for role in roles]}
        return client.patch(f"/api/v1/members/{member.public_id}", body, "application/json")

    def test_are_replaced(self, owner, organization, role):
        member = make_member(organization, "member")

        answer = self.patch(signed_in(owner), member, role, system_role("developer"))

        assert answer.json()["roles"] == ["Reviewer", "developer"]
        assert set(roles_of_member(member, organization)) == {role, system_role("developer")}

    @pytest.mark.parametrize(
        "body", [{}, {"roles": []}, {"role": "member", "roles": ["member"]}, {"roles": ["x"] * 21}]
    )
    def test_are_one_or_several_and_not_none(self, owner, organization, body):
        member = make_member(organization, "member")

        answer = signed_in(owner).patch(
            f"/api/v1/members/{member.public_id}", body, "application/json"
        )

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    def test_are_changed_by_a_key_within_its_scopes(self, owner, organization, role):
        member = make_member(organization, "member")
        _, narrow = make_key(organization, owner, "members:write")
        _, wide = make_key(
            organization,
            owner,
            *["members:write", "members:read", "jobs:read", "jobs:write"],
            *["usage:read", "organization:read", "capacity:read"],
        )

        assert self.patch(with_key(narrow), member, role).json()["code"] == "role_not_held"
        assert self.patch(with_key(wide), member, role).status_code == 200
        assert self.patch(with_key(wide), member, system_role("owner")).status_code == 403

    def test_of_another_organization_are_not_known(self, owner, organization):
        elsewhere = create_role(by=owner, organization=make_organization(owner=owner), name="x")
        client = signed_in(owner, headers={"Coffer-Organization": organization.public_id})

        answer = self.patch(client, make_member(organization, "member"), elsewhere)

        assert answer.json()["code"] == "unknown_role"

    def test_of_a_stranger_do_not_exist(self, owner, organization, role):
        assert self.patch(signed_in(owner), make_person(), role).status_code == 404

    def test_keep_the_last_owner(self, owner, organization, role):
        answer = self.patch(signed_in(owner), owner, role)

        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")

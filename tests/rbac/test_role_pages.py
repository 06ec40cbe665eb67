"""The pages of roles: the editor with its preview, and the roles of members."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.rbac.models import Role, RolePermission
from apps.rbac.selectors import codes_of, roles_of_member
from apps.rbac.services.custom_roles import create_role
from apps.rbac.services.roles import assign_role, system_role
from tests.people import make_member, make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def role(owner, organization):
    return create_role(
        by=owner, organization=organization, name="Reviewer", codes=["jobs.view", "billing.view"]
    )


def address(organization, rest: str = "roles/") -> str:
    return f"/o/{organization.slug}/{rest}"


def form(role: Role, *codes: str, step: str = "preview", **changes) -> dict[str, object]:
    role.refresh_from_db()
    values = {"version": role.version, "name": role.name, "description": "", "codes": codes}
    sent = {f"{name}-{role.public_id}": value for name, value in (values | changes).items()}
    return {"step": step, **sent}


def codes_now(role: Role) -> set[str]:
    return set(codes_of([role])[role.pk])


class TestTheEditor:
    def test_shows_every_permission_against_every_role(self, owner, organization, role):
        answer = signed_in(owner).get(address(organization))

        page = answer.content.decode()
        assert "Submit jobs, which spends credits." in page
        assert f'name="codes-{role.public_id}" value="jobs.view"' in page
        assert "credits.adjust" not in page

    def test_offers_no_box_for_a_system_role(self, owner, organization, role):
        page = signed_in(owner).get(address(organization)).content.decode()

        assert f"codes-{system_role('member').public_id}" not in page

    def test_greys_what_the_viewer_does_not_hold(self, organization, role):
        answer = signed_in(make_member(organization, "admin")).get(address(organization))

        lines = [line for _, lines in answer.context["matrix"].groups for line in lines]
        boxes = {line.permission.code: line.cells[0].is_editable for line in lines}
        assert boxes["jobs.view"]
        assert not boxes["billing.view"]

    def test_lets_a_member_look_and_change_nothing(self, organization, role):
        client = signed_in(make_member(organization, "member"))

        assert "Preview the change" not in client.get(address(organization)).content.decode()
        assert client.post(address(organization), form(role, step="save")).status_code == 403
        assert codes_now(role) == {"jobs.view", "billing.view"}

    def test_does_not_exist_for_others(self, organization):
        stranger = make_person()
        make_organization(owner=stranger)

        assert signed_in(stranger).get(address(organization)).status_code == 404

    def test_asks_as_many_questions_for_many_roles_as_for_one(self, owner, organization, role):
        client = signed_in(owner)
        client.get(address(organization))
        with CaptureQueriesContext(
            connection,
        ) as few:
            client.get(address(organization))
        for number in range(5):
            more = create_role(
                by=owner, organization=organization, name=f"{number}", codes=["jobs.view"]
            )
            assign_role(user=owner, organization=organization, role=more)

        with CaptureQueriesContext(connection) as many:
            client.get(address(organization))

        assert len(many) == len(few) <= 17


class TestTheChange:
    def test_is_shown_before_anything_is_saved(self, owner, organization, role):
        answer = signed_in(owner).post(
            address(organization), form(role, "jobs.view", "credits.view", name="Editor")
        )

        (entry,) = answer.context["differences"]
        assert [one.code for one in entry["added"]] == ["credits.view"]
        assert [one.code for one in entry["removed"]] == ["billing.view"]
        assert "<ins>Editor</ins>" in answer.content.decode()
        assert codes_now(role) == {"jobs.view", "billing.view"}

    def test_is_saved_when_the_preview_is_sent(self, owner, organization, role):
        client = signed_in(owner)
        shown = client.post(address(organization), form(role, "jobs.view", "credits.view"))
        fields: dict[str, list[str]] = {"step": ["save"]}
        for name, value in shown.context["fields"]:
            fields.setdefault(name, []).append(value)

        assert client.post(address(organization), fields).status_code == 302
        assert codes_now(role) == {"jobs.view", "credits.view"}

    def test_is_refused_to_who_read_an_older_version(self, owner, organization, role):
        late = form(role, "jobs.view", step="save")
        signed_in(owner).post(address(organization), form(role, "credits.view", step="save"))

        answer = signed_in(make_member(organization, "owner")).post(address(organization), late)

        assert answer.status_code == 412
        assert "Somebody else changed the role" in answer.content.decode()
        assert codes_now(role) == {"credits.view"}
        assert 'value="2"' in answer.content.decode()

    @pytest.mark.parametrize("step", ["preview", "save"])
    def test_is_refused_for_what_the_person_does_not_hold(self, organization, role, step):
        admin = make_member(organization, "admin")

        answer = signed_in(admin).post(
            address(organization), form(role, "jobs.view", "billing.manage", step=step)
        )

        assert answer.status_code == 403
        assert codes_now(role) == {"jobs.view", "billing.view"}

    def test_keeps_what_the_person_could_not_choose(self, organization, role):
        admin = make_member(organization, "admin")

        signed_in(admin).post(address(organization), form(role, "jobs.submit", step="save"))

        assert codes_now(role) == {"jobs.submit", "billing.view"}

    def test_of_a_role_of_another_organization_is_refused(self, owner, organization):
        elsewhere = create_role(by=owner, organization=make_organization(owner=owner), name="x")

        answer = signed_in(owner).post(
            address(organization), form(elsewhere, "jobs.view", step="save")
        )

        assert answer.status_code == 409
        assert not RolePermission.objects.filter(role=elsewhere).exists()

    @pytest.mark.parametrize("version", ["", "-1", "x", "٣", "9" * 30])
    def test_survives_a_version_that_is_none(self, owner, organization, role, version):
        answer = signed_in(owner).post(
            address(organization), form(role, "jobs.view", version=version)
        )

        assert answer.status_code == 412

    def test_counts_from_the_next_request_of_who_has_the_role(self, owner, organization, role):
        person = make_member(organization, "billing manager")
        assign_role(user=person, organization=organization, role=role)
        client = signed_in(person)
        assert client.get(address(organization)).status_code == 403

        signed_in(owner).post(address(organization), form(role, "roles.view", step="save"))
        assert client.get(address(organization)).status_code == 200

        signed_in(owner).post(address(organization), form(role, step="save"))
        assert client.get(address(organization)).status_code == 403


class TestANewRole:
    def test_is_made(self, owner, organization):
        answer = signed_in(owner).post(
            address(organization, "roles/new/"), {"name": "Editor", "codes": ["jobs.view"]}
        )

        role = Role.objects.get(name="Editor")
        assert answer["Location"] == address(organization, f"roles/{role.public_id}/")
        assert codes_now(role) == {"jobs.view"}

    def test_says_on_the_field_that_its_name_is_taken(self, owner, organization, role):
        answer = signed_in(owner).post(address(organization, "roles/new/"), {"name": "reviewer"})

        assert answer.status_code == 409
        assert "name" in answer.context["form"].errors

    def test_offers_only_what_its_maker_holds(self, organization):
        client = signed_in(make_member(organization, "admin"))

        page = client.get(address(organization, "roles/new/")).content.decode()

        assert "jobs.view" in page
        assert "billing.manage" not in page


class TestOneRole:
    def test_tells_who_has_it(self, owner, organization, role):
        assign_role(user=owner, organization=organization, role=role)

        page = signed_in(owner).get(address(organization, f"roles/{role.public_id}/"))

        assert owner.email in page.content.decode()

    def test_is_deleted(self, owner, organization, role):
        answer = signed_in(owner).post(
            address(organization, f"roles/{role.public_id}/"), {"version": "1"}
        )

        assert answer.status_code == 302
        assert not Role.objects.filter(pk=role.pk).exists()

    def test_of_another_organization_does_not_exist(self, owner, organization):
        elsewhere = create_role(by=owner, organization=make_organization(owner=owner), name="x")

        answer = signed_in(owner).get(address(organization, f"roles/{elsewhere.public_id}/"))

        assert answer.status_code == 404


class TestTheRolesOfAMember:
    def page(self, organization, member) -> str:
        return address(organization, f"members/{member.public_id}/roles/")

    def test_are_changed(self, owner, organization, role):
        member = make_member(organization, "member")

        answer = signed_in(owner).post(self.page(organization, member), {"roles": [role.public_id]})

        assert answer.status_code == 302
        assert list(roles_of_member(member, organization)) == [role]

    def test_cannot_be_more_than_the_person_holds(self, organization):
        admin = make_member(organization, "admin")
        both = [system_role("admin").public_id, system_role("owner").public_id]

        answer = signed_in(admin).post(self.page(organization, admin), {"roles": both})

        assert answer.status_code == 403
        assert [role.name for role in roles_of_member(admin, organization)] == ["admin"]

    def test_keep_the_last_owner(self, owner, organization):
        answer = signed_in(owner).post(
            self.page(organization, owner), {"roles": [system_role("member").public_id]}
        )

        assert answer.status_code == 409
        assert "without an owner" in answer.content.decode()

    def test_can_be_looked_at_by_members(self, owner, organization):
        client = signed_in(make_member(organization, "member"))

        assert client.get(self.page(organization, owner)).context["form"] is None
        assert client.post(self.page(organization, owner), {}).status_code == 403

    def test_of_a_stranger_do_not_exist(self, owner, organization):
        assert signed_in(owner).get(self.page(organization, make_person())).status_code == 404

"""Roles in the back office: global ones above all, through the same services."""

import pytest
from django.contrib.auth.models import Permission as DjangoPermission

from apps.rbac.models import Role, UserRole
from apps.rbac.selectors import codes_of
from apps.rbac.services.custom_roles import create_role
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import AuditLog
from tests.people import make_member, make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    return make_person(is_staff=True, is_superuser=True)


@pytest.fixture
def helper():
    """Staff who may open the pages of roles, and hold what a global admin holds."""
    person = make_person(is_staff=True)
    assign_role(user=person, role=system_role("admin"), organization=None)
    names = ["role", "userrole"]
    found = DjangoPermission.objects.filter(
        content_type__app_label="rbac", content_type__model__in=names
    )
    person.user_permissions.set(found)
    return person


@pytest.fixture
def role(root):
    return create_role(by=root, organization=None, name="Helpdesk", codes=["jobs.view"])


def page(role: Role) -> str:
    return f"/admin/rbac/role/{role.pk}/change/"


def form(role: Role, *codes: str, step: str, version: int = 1) -> dict[str, object]:
    end = role.public_id
    return {
        "step": step,
        f"version-{end}": version,
        f"name-{end}": "Helpdesk",
        f"codes-{end}": codes,
    }


def codes_now(role: Role) -> set[str]:
    return set(codes_of([role])[role.pk])


class TestTheEditorOfGlobalRoles:
    def test_has_what_is_for_staff(self, root, role):
        text = signed_in(root).get(page(role)).content.decode()

        assert f'name="codes-{role.public_id}" value="credits.adjust"' in text
        assert "credit approver" in text

    def test_shows_the_change_and_then_saves_it(self, root, role):
        client = signed_in(root)

        shown = client.post(page(role), form(role, "credits.adjust", step="preview"))
        assert [one.code for one in shown.context["differences"][0]["added"]] == ["credits.adjust"]
        assert codes_now(role) == {"jobs.view"}

        client.post(page(role), form(role, "credits.adjust", step="save"))
        assert codes_now(role) == {"credits.adjust"}
        assert AuditLog.objects.get(action="role.update").after["permissions"] == ["credits.adjust"]

    def test_refuses_who_read_an_older_version(self, root, role):
        client = signed_in(root)
        client.post(page(role), form(role, "credits.adjust", step="save"))

        answer = client.post(page(role), form(role, step="save"))

        assert answer.status_code == 412
        assert codes_now(role) == {"credits.adjust"}

    def test_refuses_what_the_member_of_staff_lacks(self, helper, role):
        answer = signed_in(helper).post(
            page(role), form(role, "jobs.view", "credits.approve", step="save")
        )

        assert answer.status_code == 403
        assert codes_now(role) == {"jobs.view"}

    def test_locks_system_roles(self, root):
        owner = system_role("owner")

        answer = signed_in(root).post(page(owner), form(owner, step="save"))

        assert answer.status_code == 409
        assert codes_now(owner)

    def test_shows_an_organizations_own_beside_it(self, root):
        organization = make_organization()
        own = create_role(by=root, organization=organization, name="Own", codes=["jobs.view"])

        text = signed_in(root).get(page(own)).content.decode()

        assert f"Roles of {organization.name}" in text
        assert "credits.adjust" not in text

    def test_is_not_for_staff_without_the_permission(self, role):
        client = signed_in(make_person(is_staff=True))

        assert client.get(page(role)).status_code == 403
        assert client.post(page(role), form(role, step="save")).status_code == 403


class TestTheList:
    def test_makes_a_role_and_leads_to_the_editor(self, root):
        answer = signed_in(root).post("/admin/rbac/role/add/", {"name": "Helpdesk"})

        made = Role.objects.get(name="Helpdesk")
        assert answer["Location"] == page(made)
        assert AuditLog.objects.filter(action="role.create").count() == 1

    def test_says_that_a_name_is_taken(self, root, role):
        client, organization = signed_in(root), make_organization()

        twin = client.post("/admin/rbac/role/add/", {"name": "SUPPORT"})
        assert "There is a role with this name already" in twin.content.decode()

        fields = {"name": "Owner", "organization": organization.pk}
        answer = client.post("/admin/rbac/role/add/", fields, follow=True)
        assert "There is a role called Owner already" in answer.content.decode()

    def test_deletes_a_role_that_nobody_has(self, root, role):
        signed_in(root).post(f"/admin/rbac/role/{role.pk}/delete/", {"post": "yes"})

        assert not Role.objects.filter(pk=role.pk).exists()

    def test_deletes_no_system_role(self, root):
        owner = system_role("owner")

        answer = signed_in(root).post(f"/admin/rbac/role/{owner.pk}/delete/", {"post": "yes"})

        assert answer.status_code == 403
        assert Role.objects.filter(pk=owner.pk).exists()


class TestAssignments:
    def add(self, client, user, role, organization=None):
        values = {"user": user.pk, "role": role.pk}
        values |= {"organization": organization.pk} if organization else {}
        return client.post("/admin/rbac/userrole/add/", values, follow=True)

    def test_give_staff_a_global_role(self, root, role):
        person = make_person(is_staff=True)

        self.add(signed_in(root), person, role)

        assert person.has_perm("jobs.view")

    def test_are_refused_where_the_member_of_staff_lacks_something(self, helper):
        answer = self.add(signed_in(helper), helper, system_role("credit clerk"))

        assert "credits.adjust" in answer.content.decode()
        assert not UserRole.objects.filter(role__name="credit clerk").exists()

    def test_keep_a_role_in_its_organization(self, root):
        own = create_role(by=root, organization=make_organization(), name="Own")

        answer = self.add(signed_in(root), make_person(), own, make_organization())

        assert "role" in answer.context["adminform"].form.errors

    def take(self, client, row):
        return client.post(f"/admin/rbac/userrole/{row.pk}/delete/", {"post": "yes"}, follow=True)

    def test_keep_the_last_owner(self, root):
        owner = make_person()
        organization = make_organization(owner=owner)
        row = UserRole.objects.get(user=owner, organization=organization)

        answer = self.take(signed_in(root), row)

        assert "without an owner" in answer.content.decode()
        assert UserRole.objects.filter(pk=row.pk).exists()

    def test_are_taken_with_an_audit_row(self, root):
        organization = make_organization()
        person = make_member(organization, "member")
        assign_role(user=person, role=system_role("developer"), organization=organization)
        row = UserRole.objects.get(user=person, role__name="member")

        self.take(signed_in(root), row)

        assert not UserRole.objects.filter(user=person, role__name="member").exists()
        entry = AuditLog.objects.get(action="member.change_role")
        assert (entry.object_id, entry.after) == (person.public_id, {"roles": ["developer"]})

    def test_are_taken_all_or_none(self, root):
        owner = make_person()
        organization = make_organization(owner=owner)
        person = make_member(organization, "member")
        rows = UserRole.objects.filter(organization=organization)
        chosen = [str(row.pk) for row in rows]
        form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}

        answer = signed_in(root).post("/admin/rbac/userrole/", form, follow=True)

        assert "without an owner" in answer.content.decode()
        assert set(rows.values_list("user", flat=True)) == {owner.pk, person.pk}

    def test_that_are_refused_stand_in_the_audit_log(self, helper):
        self.add(signed_in(helper), helper, system_role("credit clerk"))

        assert AuditLog.objects.get(result="denied").action == "credits.adjust"

"""Roles of an organization's own: what may be made, and by whom."""

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core.errors import NotFound, PermissionDenied
from apps.rbac.errors import (
    PermissionNotHeld,
    RoleChanged,
    RoleInUse,
    RoleLimitReached,
    RoleNameTaken,
    StaffPermissionIsGlobal,
    SystemRoleLocked,
    UnknownPermission,
    UnknownRole,
)
from apps.rbac.models import Permission, Role, RolePermission, UserRole
from apps.rbac.selectors import codes_of
from apps.rbac.services import custom_roles, invitations
from apps.rbac.services.custom_roles import (
    RoleDraft,
    change_roles,
    create_role,
    delete_role,
    preview_roles,
)
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import AuditLog
from tests.people import make_member, make_organization, make_person, signed_in
from tests.rbac.inviting import make_invitation

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def admin(organization):
    return make_member(organization, "admin")


def make_role(owner, organization, *codes, name="Reviewer") -> Role:
    return create_role(by=owner, organization=organization, name=name, codes=codes)


def codes_now(role: Role) -> frozenset[str]:
    return codes_of([role])[role.pk]


def draft(role: Role, *codes: str, **changes) -> RoleDraft:
    return RoleDraft(role.pk, role.version, codes=frozenset(codes), **changes)


class TestCreateRole:
    def test_makes_a_role_that_allows_what_was_chosen(self, owner, organization):
        role = make_role(owner, organization, "jobs.view", "credits.view")

        assert codes_now(role) == {"jobs.view", "credits.view"}
        assert role.organization == organization
        assert not role.is_system_role

    def test_writes_an_audit_row(self, owner, organization):
        role = make_role(owner, organization, "jobs.view")

        row = AuditLog.objects.get(action="role.create")
        assert row.object_id == role.public_id
        assert row.after == {"name": "Reviewer", "description": "", "permissions": ["jobs.view"]}

    @pytest.mark.parametrize("name", ["Reviewer", "reviewer", " REVIEWER ", "owner", "Read-Only"])
    def test_refuses_a_name_that_is_taken(self, owner, organization, name):
        make_role(owner, organization)

        with pytest.raises(RoleNameTaken):
            make_role(owner, organization, name=name)

    def test_allows_the_name_in_another_organization(self, owner, organization):
        make_role(owner, organization)

        assert make_role(owner, make_organization(owner=owner))

    def test_leaves_the_last_word_on_names_to_the_database(self, owner, organization):
        make_role(owner, organization)

        with pytest.raises(IntegrityError), transaction.atomic():
            Role.objects.create(organization=organization, name="REVIEWER")

    def test_refuses_what_its_maker_lacks(self, admin, organization):
        with pytest.raises(PermissionNotHeld) as refusal:
            make_role(admin, organization, "jobs.view", "billing.manage")

        assert refusal.value.details["permissions"] == "billing.manage"
        assert not Role.objects.filter(organization=organization).exists()

    @pytest.mark.parametrize("role", ["billing manager", "developer", "member", "read-only"])
    def test_is_for_those_who_manage_roles(self, organization, role):
        with pytest.raises(PermissionDenied):
            make_role(make_member(organization, role), organization, "organization.view")

    def test_refuses_who_is_owner_elsewhere(self, organization):
        stranger = make_person()
        make_organization(owner=stranger)

        with pytest.raises(PermissionDenied):
            make_role(stranger, organization)

    def test_refuses_a_permission_that_does_not_exist(self, owner, organization):
        with pytest.raises(UnknownPermission):
            make_role(owner, organization, "tea.make")

    def test_refuses_a_permission_for_staff_even_from_a_superuser(self, organization):
        root = make_person(is_staff=True, is_superuser=True)

        with pytest.raises(StaffPermissionIsGlobal):
            make_role(root, organization, "credits.adjust")

    def test_has_an_end(self, owner, organization, monkeypatch):
        monkeypatch.setattr(custom_roles, "MOST_ROLES", 2)
        for number in range(2):
            make_role(owner, organization, name=f"Role {number}")

        with pytest.raises(RoleLimitReached):
            make_role(owner, organization, name="One more")


class TestChangeRoles:
    def test_changes_name_description_and_permissions(self, owner, organization):
        role = make_role(owner, organization, "jobs.view", "jobs.submit")
        wanted = draft(role, "jobs.view", "credits.view", name="Editor", description="Edits.")

        change_roles(by=owner, organization=organization, drafts=[wanted])

        role.refresh_from_db()
        assert (role.name, role.description, role.version) == ("Editor", "Edits.", 2)
        assert codes_now(role) == {"jobs.view", "credits.view"}

    def test_keeps_before_and_after(self, owner, organization):
        role = make_role(owner, organization, "jobs.view")

        change_roles(by=owner, organization=organization, drafts=[draft(role, "credits.view")])

        row = AuditLog.objects.get(action="role.update")
        assert row.before["permissions"] == ["jobs.view"]
        assert row.after["permissions"] == ["credits.view"]

    def test_counts_from_the_next_request_on(self, owner, organization):
        role, person = (
            make_role(owner, organization, "jobs.view"),
            make_member(organization, "partner manager"),
        )
        assign_role(user=person, organization=organization, role=role)
        assert type(person).objects.get(pk=person.pk).has_perm("jobs.view", organization)

        change_roles(by=owner, organization=organization, drafts=[draft(role)])

        assert not type(person).objects.get(pk=person.pk).has_perm("jobs.view", organization)

    def test_refuses_who_read_an_older_version(self, owner, admin, organization):
        role = make_role(owner, organization, "jobs.view")
        late = draft(role, "jobs.view", "jobs.submit")
        change_roles(by=owner, organization=organization, drafts=[draft(role, "credits.view")])

        with pytest.raises(RoleChanged):
            change_roles(by=admin, organization=organization, drafts=[late])

        assert codes_now(role) == {"credits.view"}

    def test_writes_nothing_when_nothing_changes(self, owner, organization):
        role = make_role(owner, organization, "jobs.view")

        change_roles(by=owner, organization=organization, drafts=[draft(role, "jobs.view")])

        role.refresh_from_db()
        assert role.version == 1
        assert not AuditLog.objects.filter(action="role.update").exists()

    def test_changes_all_or_none(self, owner, organization):
        first = make_role(owner, organization, name="First")
        second = make_role(owner, organization, name="Second")
        drafts = [draft(first, "jobs.view"), draft(second, name="owner")]

        with pytest.raises(RoleNameTaken):
            change_roles(by=owner, organization=organization, drafts=drafts)

        assert codes_now(first) == frozenset()

    def test_refuses_to_give_what_the_person_lacks_to_a_role_that_he_has(
        self, owner, admin, organization
    ):
        role = make_role(owner, organization, "jobs.view")
        assign_role(user=admin, organization=organization, role=role)

        with pytest.raises(PermissionNotHeld):
            change_roles(
                by=admin,
                organization=organization,
                drafts=[draft(role, "jobs.view", "organization.close")],
            )

    def test_refuses_to_take_what_the_person_lacks(self, owner, admin, organization):
        role = make_role(owner, organization, "billing.manage")

        with pytest.raises(PermissionNotHeld):
            change_roles(by=admin, organization=organization, drafts=[draft(role)])

    def test_lets_a_role_keep_what_the_person_lacks(self, owner, admin, organization):
        role = make_role(owner, organization, "billing.manage")

        change_roles(
            by=admin, organization=organization, drafts=[draft(role, "billing.manage", "jobs.view")]
        )

        assert codes_now(role) == {"billing.manage", "jobs.view"}

    def test_refuses_system_roles(self, owner, organization):
        with pytest.raises(SystemRoleLocked):
            change_roles(by=owner, organization=organization, drafts=[draft(system_role("member"))])

    def test_does_not_know_a_role_of_another_organization(self, owner, organization):
        elsewhere = make_organization(owner=owner)
        role = make_role(owner, elsewhere, "jobs.view")

        with pytest.raises(NotFound):
            change_roles(by=owner, organization=organization, drafts=[draft(role)])


class TestPreviewRoles:
    def test_tells_what_comes_and_goes_and_whom_it_concerns(self, owner, organization):
        role = make_role(owner, organization, "jobs.view", "jobs.submit")
        assign_role(
            user=make_member(organization, "member"),
            organization=organization,
            role=role,
        )
        wanted = draft(role, "jobs.view", "credits.view", name="Editor")

        (shown,) = preview_roles(by=owner, organization=organization, drafts=[wanted])

        assert (shown.added, shown.removed) == ({"credits.view"}, {"jobs.submit"})
        assert shown.is_renamed
        assert not shown.is_described
        assert shown.holders == 1
        assert codes_now(role) == {"jobs.view", "jobs.submit"}

    def test_refuses_as_saving_would(self, owner, admin, organization):
        role = make_role(owner, organization)

        with pytest.raises(PermissionNotHeld):
            preview_roles(
                by=admin, organization=organization, drafts=[draft(role, "billing.manage")]
            )


class TestDeleteRole:
    def test_deletes_one_that_nobody_has(self, owner, organization):
        role = make_role(owner, organization, "jobs.view")

        delete_role(by=owner, role=role, version=1)

        assert not Role.objects.filter(pk=role.pk).exists()
        assert AuditLog.objects.get(action="role.delete").before["permissions"] == ["jobs.view"]

    def test_refuses_one_that_somebody_has(self, owner, organization):
        role = make_role(owner, organization)
        assign_role(user=owner, organization=organization, role=role)

        with pytest.raises(RoleInUse):
            delete_role(by=owner, role=role, version=1)

    def test_refuses_one_to_which_somebody_is_invited(self, owner, organization):
        role = make_role(owner, organization)
        make_invitation(organization, owner, role=role.name)

        with pytest.raises(RoleInUse) as refusal:
            delete_role(by=owner, role=role, version=1)

        assert refusal.value.details["invitations"] == 1

    def test_is_not_kept_by_invitations_that_have_ended(self, owner, organization):
        role = make_role(owner, organization)
        invitations.revoke(invitation=make_invitation(organization, owner, role=role.name))

        delete_role(by=owner, role=role, version=1)

        page = signed_in(owner).get(f"/o/{organization.slug}/members/invitations/")
        assert "Deleted" in page.content.decode()
        (listed,) = signed_in(owner).get("/api/v1/invitations").json()["data"]
        assert listed["role"] == ""

    def test_leaves_nobody_invited_to_it(self, owner, organization):
        role = make_role(owner, organization)
        delete_role(by=owner, role=role, version=1)

        with pytest.raises(UnknownRole):
            invitations.invite(
                organization=organization, email="new@example.com", role=role, by=owner
            )

    def test_refuses_one_that_allows_more_than_the_person_may(self, owner, admin, organization):
        role = make_role(owner, organization, "billing.manage")

        with pytest.raises(PermissionNotHeld):
            delete_role(by=admin, role=role, version=1)

    def test_refuses_who_read_an_older_version(self, owner, organization):
        role = make_role(owner, organization)

        with pytest.raises(RoleChanged):
            delete_role(by=owner, role=role, version=2)

    def test_refuses_system_roles(self, owner):
        root = make_person(is_superuser=True)

        with pytest.raises(SystemRoleLocked):
            delete_role(by=root, role=system_role("member"), version=1)


class TestTheLockOfTheDatabase:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE rbac_role SET description = 'x' WHERE is_system_role",
            "UPDATE rbac_role SET is_system_role = false WHERE name = 'owner'",
            "DELETE FROM rbac_rolepermission",
            "UPDATE rbac_rolepermission SET created_at = now()",
            "INSERT INTO rbac_rolepermission (id, role_id, permission_id)"
            " SELECT gen_random_uuid(), r.id, p.id FROM rbac_role r, rbac_permission p"
            " WHERE r.name = 'member' AND p.name = 'billing.manage'",
            "INSERT INTO rbac_role (id, name, description, is_system_role, version, updated_at)"
            " VALUES (gen_random_uuid(), 'x', '', true, 1, now())",
            "TRUNCATE rbac_rolepermission",
            "TRUNCATE rbac_role CASCADE",
        ],
    )
    def test_refuses_to_touch_system_roles(self, statement):
        with (
            pytest.raises(IntegrityError, match=r"locked|append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    def test_does_not_let_a_role_be_moved(self, owner, organization):
        role = make_role(owner, organization)

        with pytest.raises(IntegrityError, match="stays in its organization"), transaction.atomic():
            Role.objects.filter(pk=role.pk).update(organization=None)

    def test_does_not_let_a_role_become_a_system_role(self, owner):
        role = Role.objects.create(name="global")

        with pytest.raises(IntegrityError, match="locked"), transaction.atomic():
            Role.objects.filter(pk=role.pk).update(is_system_role=True)

    @pytest.mark.parametrize("is_global", [True, False])
    def test_keeps_a_role_in_its_organization(self, owner, organization, is_global):
        role = make_role(owner, organization)
        where = None if is_global else make_organization()

        with pytest.raises(IntegrityError, match="own organization"), transaction.atomic():
            UserRole.objects.create(user=owner, role=role, organization=where)

    def test_lets_an_organizations_own_roles_change(self, owner, organization):
        role = make_role(owner, organization)
        permission = Permission.objects.get(name="jobs.view")

        RolePermission.objects.create(role=role, permission=permission).delete()

        assert Role.objects.filter(pk=role.pk).update(description="x") == 1

"""What each system role may do, and how the question is answered."""

from functools import partial

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from guardian.shortcuts import assign_perm

from apps.rbac import receivers
from apps.rbac.models import Permission, Role, RolePermission, UserRole
from apps.rbac.permissions import BY_CODE, PERMISSIONS, SYSTEM_ROLES
from apps.rbac.selectors import members_of, organizations_of, permissions_of
from apps.rbac.services.roles import (
    assign_role,
    sync_permissions,
    system_role,
    system_roles_unlocked,
)
from apps.tenants.models import Organization, User
from tests.people import make_member, make_organization, make_person

pytestmark = pytest.mark.django_db

# One line for each permission: O owner, A admin, B billing manager, D developer,
# M member, R read-only, P partner manager, G programme member.
DECISIONS = """
organization.view    OABDMRPG
organization.update  OA
organization.close   O
organizations.manage
organization.secure  O
members.view         OAB.MR
members.manage       OA
roles.view           OA..MR
roles.manage         OA
keys.view            OA.D
keys.manage          OA.D
credits.view_own     OABDMRPG
credits.view         OABD.RP
credits.charge       OAB
budgets.manage       OAB
credits.adjust
credits.approve
people.impersonate
config.manage
workers.manage
capacity.record
jobs.view_own        OABDMR.G
jobs.view            OABDMR
jobs.submit          OA.DM..G
jobs.cancel          OA.DM..G
billing.view         O.B..RP
billing.manage       O.B...P
capacity.view        OABDMRP
capacity.reserve     OAB
partners.view        OA...RP
partners.manage      OA....P
shares.view          OA.D.R
shares.manage        OA.D
audit.view           OA...R
"""
LETTERS = {
    "O": "owner",
    "A": "admin",
    "B": "billing manager",
    "D": "developer",
    "M": "member",
    "R": "read-only",
    "P": "partner manager",
    "G": "programme member",
}
TABLE = {
    code: {LETTERS[letter] for letter in "".join(letters).replace(".", "")}
    for code, *letters in map(str.split, DECISIONS.strip().splitlines())
}


@pytest.fixture
def organization():
    return make_organization()


def fresh(person: User) -> User:
    """Load the person again, as the next request does."""
    return User.objects.get(pk=person.pk)


class TestHasPerm:
    def test_is_decided_here_for_every_permission_and_role(self):
        assert TABLE.keys() == BY_CODE.keys()
        assert {role.name for role in SYSTEM_ROLES} == set(LETTERS.values())

    @pytest.mark.parametrize("role", LETTERS.values())
    def test_follows_the_table(self, organization, role):
        person = make_member(organization, role)

        for code, roles in TABLE.items():
            assert person.has_perm(code, organization) == (role in roles), code

    def test_counts_in_that_organization_alone(self, organization):
        person = make_member(organization, "owner")

        assert not person.has_perm("jobs.view", make_organization())
        assert not person.has_perm("jobs.view")

    def test_adds_up_the_roles_of_a_person(self, organization):
        person = make_member(organization, "billing manager")
        assign_role(user=person, role=system_role("developer"), organization=organization)

        assert person.has_perms(["billing.manage", "keys.manage"], organization)

    def test_counts_a_global_role_everywhere(self, organization):
        person = make_person()
        assign_role(user=person, role=system_role("read-only"), organization=None)

        assert person.has_perm("audit.view", organization)
        assert person.has_perm("audit.view")
        assert not person.has_perm("jobs.submit", organization)

    def test_lets_an_inactive_person_do_nothing(self, organization):
        person = make_member(organization, "owner", is_active=False)

        assert not person.has_perm("jobs.view", organization)
        assert permissions_of(person, organization) == frozenset()

    def test_lets_nobody_do_what_is_not_on_the_page(self, organization):
        assert not make_member(organization, "owner").has_perm("jobs.explode", organization)

    def test_lets_an_anonymous_visitor_do_nothing(self, organization):
        assert not AnonymousUser().has_perm("jobs.view", organization)

    def test_asks_the_database_once(self, organization, django_assert_num_queries):
        person = fresh(make_member(organization, "developer"))

        with django_assert_num_queries(1):
            for code in BY_CODE:
                person.has_perm(code, organization)

    def test_sees_a_change_on_the_next_request(self, organization):
        person = make_member(organization, "developer")
        assert person.has_perm("jobs.submit", organization)

        UserRole.objects.filter(user=person).delete()

        assert not fresh(person).has_perm("jobs.submit", organization)


class TestObjectBackend:
    def test_leaves_organizations_to_roles(self, organization):
        assert not make_person().has_perm("tenants.change_organization", organization)

    def test_answers_for_the_object_that_was_shared(self, organization):
        person, role = make_person(), Role.objects.create(name="own", organization=organization)
        assign_perm("rbac.view_role", person, role)

        assert fresh(person).has_perm("rbac.view_role", role)
        assert not fresh(person).has_perm("rbac.change_role", role)
        assert not fresh(person).has_perm("rbac.view_role", system_role("owner"))

    def test_does_not_mind_a_permission_of_another_app(self):
        assert not make_person().has_perm("jobs.view", system_role("owner"))


class TestSyncPermissions:
    def test_changes_nothing_when_nothing_changed(self, organization):
        before = set(RolePermission.objects.values_list("pk", "role", "permission"))

        sync_permissions()

        assert set(RolePermission.objects.values_list("pk", "role", "permission")) == before
        assert Permission.objects.count() == len(PERMISSIONS)

    def test_removes_what_is_gone_also_from_other_roles(self, organization):
        gone = Permission.objects.create(name="tea.make", resource="tea", action="make")
        own = Role.objects.create(name="own", organization=organization)
        RolePermission.objects.create(role=own, permission=gone)
        with system_roles_unlocked():
            old_role = Role.objects.create(name="tea maker", is_system_role=True)

        sync_permissions()

        assert not Permission.objects.filter(name="tea.make").exists()
        assert not RolePermission.objects.filter(role=own).exists()
        assert not Role.objects.filter(pk=old_role.pk).exists()

    def test_takes_back_what_a_system_role_should_not_have(self):
        extra = Permission.objects.get(name="billing.manage")
        with system_roles_unlocked():
            RolePermission.objects.create(role=system_role("read-only"), permission=extra)

        sync_permissions()

        kept = RolePermission.objects.filter(role=system_role("read-only"), permission=extra)
        assert not kept.exists()

    def test_leaves_an_organizations_own_roles_alone(self, organization):
        own = Role.objects.create(name="own", organization=organization)
        permission = Permission.objects.get(name="jobs.view")
        RolePermission.objects.create(role=own, permission=permission)

        sync_permissions()

        assert RolePermission.objects.filter(role=own, permission=permission).exists()

    @pytest.mark.parametrize("migration", [None, "0001_initial"])
    def test_leaves_tables_alone_that_are_migrated_back(self, migration, monkeypatch):
        refuse = partial(pytest.fail, "wrote all the same")
        monkeypatch.setattr("apps.rbac.services.roles.sync_permissions", refuse)
        state = MigrationLoader(connection).project_state(
            [("rbac", migration)] if migration else [("core", "0001_initial")]
        )

        receivers.sync_permissions(apps=state.apps)

    def test_gives_every_permission_a_description(self):
        assert all(len(one.description) > 10 for one in PERMISSIONS)


class TestOrganizationsOf:
    def test_lists_those_in_which_the_person_has_a_role(self, organization):
        person = make_member(organization, "member")
        make_organization(name="Other")

        assert list(organizations_of(person)) == [organization]

    def test_leaves_out_those_that_are_not_active(self, organization):
        person = make_member(organization, "member")
        Organization.objects.update(is_active=False)

        assert not organizations_of(person).exists()

    def test_does_not_count_a_global_role_as_membership(self, organization):
        person = make_person()
        assign_role(user=person, role=system_role("read-only"), organization=None)

        assert not organizations_of(person).exists()


class TestMembersOf:
    def test_lists_each_person_once(self, organization):
        person = make_member(organization, "member")
        assign_role(user=person, role=system_role("developer"), organization=organization)
        make_organization()

        members = members_of(organization)

        assert members.count() == 2
        assert person in members

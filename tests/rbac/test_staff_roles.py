"""Roles for staff: given everywhere, or not at all."""

import pytest

from apps.rbac.errors import StaffRoleIsGlobal
from apps.rbac.models import Permission, Role, RolePermission, UserRole
from apps.rbac.permissions import STAFF_CODES, STAFF_ROLES, SYSTEM_ROLES
from apps.rbac.services.roles import assign_role, system_role
from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db

CLERK, APPROVER = "credit clerk", "credit approver"


class TestStaffRoles:
    def test_hold_what_is_for_staff_and_nobody_elses_role_does(self):
        assert {code for role in STAFF_ROLES for code in role.codes} == STAFF_CODES
        assert not [role.name for role in SYSTEM_ROLES if role.codes & STAFF_CODES]

    @pytest.mark.parametrize(
        ("role", "code", "other"),
        [
            (CLERK, "credits.adjust", "credits.approve"),
            (APPROVER, "credits.approve", "credits.adjust"),
        ],
    )
    def test_let_a_person_do_one_of_the_two(self, role, code, other):
        person = make_person()
        assign_role(user=person, role=system_role(role), organization=None)

        assert person.has_perm(code)
        assert not person.has_perm(other)

    @pytest.mark.parametrize("role", [CLERK, APPROVER])
    def test_are_refused_in_an_organization(self, role):
        with pytest.raises(StaffRoleIsGlobal):
            assign_role(
                user=make_person(), role=system_role(role), organization=make_organization()
            )

        assert not UserRole.objects.filter(role__name=role).exists()

    def test_give_nothing_to_who_got_one_in_an_organization_all_the_same(self):
        organization, person = make_organization(), make_person()
        UserRole.objects.create(user=person, role=system_role(CLERK), organization=organization)

        assert not person.has_perm("credits.adjust", organization)
        assert not person.has_perm("credits.adjust")

    def test_cannot_be_imitated_by_a_role_of_an_organization(self):
        organization, person = make_organization(), make_person()
        own = Role.objects.create(name="own", organization=organization)
        for code in ("credits.adjust", "credits.view"):
            RolePermission.objects.create(role=own, permission=Permission.objects.get(name=code))
        assign_role(user=person, role=own, organization=organization)

        assert person.has_perm("credits.view", organization)
        assert not person.has_perm("credits.adjust", organization)


class TestTheAdminOfRoleAssignments:
    @pytest.fixture
    def root(self):
        return signed_in(make_person(is_staff=True, is_superuser=True))

    def post(self, root, **values):
        values["user"] = make_person().pk
        values["role"] = system_role(CLERK).pk
        return root.post("/admin/rbac/userrole/add/", values)

    def test_gives_a_role_for_staff_everywhere(self, root):
        assert self.post(root).status_code == 302
        assert UserRole.objects.get(role__name=CLERK).organization is None

    def test_refuses_it_in_an_organization_and_says_so_there(self, root):
        answer = self.post(root, organization=make_organization().pk)

        assert answer.status_code == 200
        assert "organization" in answer.context["adminform"].form.errors
        assert not UserRole.objects.filter(role__name=CLERK).exists()

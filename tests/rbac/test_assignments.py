"""One role given or taken by staff: in any organization, or everywhere."""

import pytest

from apps.core.errors import NotFound, PermissionDenied
from apps.rbac.errors import (
    LastOwner,
    MemberLimitReached,
    MemberOutranksYou,
    RoleNotHeld,
    StaffRoleIsGlobal,
)
from apps.rbac.models import ApiKey
from apps.rbac.selectors import roles_of_member
from apps.rbac.services.assignments import give_role, take_role
from apps.rbac.services.custom_roles import create_role
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import AuditLog
from apps.tenants.services.organizations import set_member_limit
from tests.people import make_key, make_member, make_organization, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def root():
    return make_person(is_staff=True, is_superuser=True)


@pytest.fixture
def helper():
    """Staff who hold everywhere what an admin holds."""
    person = make_person(is_staff=True)
    assign_role(user=person, role=system_role("admin"), organization=None)
    return person


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


def names_of(user, organization) -> list[str]:
    return [role.name for role in roles_of_member(user, organization)]


class TestGivingARole:
    def test_that_counts_everywhere_lets_staff_do_it(self, root):
        clerk = make_person(is_staff=True)

        give_role(by=root, user=clerk, organization=None, role=system_role("credit clerk"))

        assert clerk.has_perm("credits.adjust")

    def test_lets_nobody_below_give_one_that_counts_everywhere(self, owner):
        with pytest.raises(PermissionDenied):
            give_role(by=owner, user=owner, organization=None, role=system_role("owner"))

    def test_gives_no_more_than_the_giver_holds_everywhere(self, helper):
        with pytest.raises(RoleNotHeld):
            give_role(by=helper, user=helper, organization=None, role=system_role("credit clerk"))

    def test_lets_a_person_join(self, root, organization):
        person = make_person()

        give_role(by=root, user=person, organization=organization, role=system_role("member"))

        assert names_of(person, organization) == ["member"]

    def test_finds_no_seat_where_all_are_taken(self, root, organization):
        set_member_limit(organization=organization, max_users=1)

        with pytest.raises(MemberLimitReached):
            give_role(
                by=root, user=make_person(), organization=organization, role=system_role("member")
            )

    def test_for_staff_is_refused_in_an_organization(self, root, organization):
        with pytest.raises(StaffRoleIsGlobal):
            give_role(
                by=root,
                user=make_person(),
                organization=organization,
                role=system_role("credit clerk"),
            )

    @pytest.mark.parametrize("is_global", [True, False])
    def test_stays_where_the_role_is_from(self, root, organization, is_global):
        where = None if is_global else make_organization()
        role = create_role(by=root, organization=where, name="Other")

        with pytest.raises(NotFound):
            give_role(by=root, user=make_person(), organization=organization, role=role)


class TestTakingARole:
    def test_leaves_the_others(self, root, organization):
        person = make_member(organization, "member")
        assign_role(user=person, role=system_role("developer"), organization=organization)

        take_role(by=root, user=person, organization=organization, role=system_role("member"))

        assert names_of(person, organization) == ["developer"]

    def test_that_is_the_last_ends_the_membership_with_its_keys(self, root, organization):
        person = make_member(organization, "developer")
        make_key(organization, person, "jobs:read")

        take_role(by=root, user=person, organization=organization, role=system_role("developer"))

        assert names_of(person, organization) == []
        assert ApiKey.objects.get().revoked_at is not None
        assert AuditLog.objects.filter(action="member.remove").exists()

    def test_keeps_the_last_owner(self, root, owner, organization):
        assign_role(user=owner, role=system_role("member"), organization=organization)

        with pytest.raises(LastOwner):
            take_role(by=root, user=owner, organization=organization, role=system_role("owner"))

    def test_that_he_does_not_have_is_not_found(self, root, owner, organization):
        with pytest.raises(NotFound):
            take_role(by=root, user=owner, organization=organization, role=system_role("admin"))

    def test_that_counts_everywhere_ends_it(self, root, helper):
        take_role(by=root, user=helper, organization=None, role=system_role("admin"))

        assert names_of(helper, None) == []
        assert AuditLog.objects.get(action="role.remove").object_id == helper.public_id

    def test_from_those_who_may_do_more_is_refused(self, helper):
        clerk = make_person(is_staff=True)
        assign_role(user=clerk, role=system_role("credit clerk"), organization=None)

        with pytest.raises(MemberOutranksYou):
            take_role(by=helper, user=clerk, organization=None, role=system_role("credit clerk"))

"""Members: reading them, changing their role, removing them, leaving."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.errors import NotFound, PermissionDenied
from apps.rbac import selectors
from apps.rbac.errors import LastOwner, MemberOutranksYou, RoleNotHeld, RolesRequired
from apps.rbac.models import ApiKey, LastSeen, Role, UserRole
from apps.rbac.services import members, presence
from apps.rbac.services.custom_roles import create_role
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import AuditLog
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person(full_name="Ada Acker")


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


def change_role(organization, user, role, by):
    found = selectors.find_role(organization, role)
    return members.set_roles(organization=organization, user=user, roles=[found], by=by)


def role_names(organization, user):
    found = UserRole.objects.filter(organization=organization, user=user)
    return sorted(found.values_list("role__name", flat=True))


class TestChangeRole:
    def test_puts_one_role_in_the_place_of_all(self, organization, owner):
        person = make_member(organization, "member")
        assign_role(user=person, role=system_role("developer"), organization=organization)
        since = selectors.membership_of(organization, person.public_id).joined_at

        change_role(organization, person, "admin", owner)

        assert role_names(organization, person) == ["admin"]
        assert selectors.membership_of(organization, person.public_id).joined_at == since
        entry = AuditLog.objects.get(action="member.change_role")
        assert entry.before == {"roles": ["developer", "member"]}
        assert entry.after == {"roles": ["admin"]}

    def test_says_nothing_when_nothing_changes(self, organization, owner):
        change_role(organization, make_member(organization, "member"), "member", owner)

        assert not AuditLog.objects.filter(action="member.change_role").exists()

    def test_gives_no_more_than_the_giver_has(self, organization):
        admin, person = (make_member(organization, role) for role in ("admin", "member"))

        for role in ("owner", "billing manager"):
            with pytest.raises(RoleNotHeld):
                change_role(organization, person, role, admin)
        with pytest.raises(RoleNotHeld):
            change_role(organization, admin, "owner", admin)

    def test_leaves_those_alone_who_may_do_more(self, organization, owner):
        with pytest.raises(MemberOutranksYou):
            change_role(organization, owner, "member", make_member(organization, "admin"))

    def test_leaves_an_owner(self, organization, owner):
        with pytest.raises(LastOwner):
            change_role(organization, owner, "admin", owner)

        assert role_names(organization, owner) == ["owner"]

    def test_counts_only_owners_who_can_sign_in(self, organization, owner):
        make_member(organization, "owner", is_active=False)

        with pytest.raises(LastOwner):
            change_role(organization, owner, "admin", owner)

    def test_is_not_fooled_by_a_role_of_the_same_name(self, organization, owner):
        own = Role.objects.create(name="owner", organization=organization)
        assign_role(user=make_person(), role=own, organization=organization)

        with pytest.raises(LastOwner):
            change_role(organization, owner, "admin", owner)

    def test_does_not_reach_into_other_organizations(self, organization, owner):
        person = make_member(make_organization(), "member")

        with pytest.raises(NotFound):
            change_role(organization, person, "admin", owner)


class TestSetRoles:
    def set_roles(self, organization, user, by, *names, **options):
        roles = [selectors.find_role(organization, name) for name in names]
        members.set_roles(organization=organization, user=user, roles=roles, by=by, **options)

    def test_gives_exactly_these(self, organization, owner):
        person = make_member(organization, "member")

        self.set_roles(organization, person, owner, "developer", "read-only", "admin")

        assert role_names(organization, person) == ["admin", "developer", "read-only"]

    @pytest.mark.parametrize("names", [["admin"], ["member"], ["admin", "read-only"]])
    def test_keeps_since_when_he_belongs_here(self, organization, owner, names):
        person = make_member(organization, "developer")
        for name in ("admin", "member"):
            assign_role(user=person, role=system_role(name), organization=organization)
        since = selectors.membership_of(organization, person.public_id).joined_at

        self.set_roles(organization, person, owner, *names)

        assert role_names(organization, person) == names
        assert selectors.membership_of(organization, person.public_id).joined_at == since

    def test_keeps_what_a_member_has_though_its_giver_may_not_give_it(self, organization, owner):
        admin = make_member(organization, "admin")
        assign_role(user=admin, role=system_role("billing manager"), organization=organization)

        self.set_roles(organization, admin, admin, "billing manager", "admin", "developer")

        assert role_names(organization, admin) == ["admin", "billing manager", "developer"]

    def test_leaves_the_last_owner_one_with_whatever_else(self, organization, owner):
        self.set_roles(organization, owner, owner, "member", "owner")

        assert role_names(organization, owner) == ["member", "owner"]

    def test_refuses_to_leave_none(self, organization, owner):
        with pytest.raises(RolesRequired):
            self.set_roles(organization, make_member(organization, "member"), owner)

    def test_is_for_those_who_manage_members(self, organization):
        person = make_member(organization, "member")

        with pytest.raises(PermissionDenied):
            self.set_roles(organization, person, person, "read-only")

    def test_refuses_who_was_removed_meanwhile(self, organization, owner):
        admin, person = (make_member(organization, role) for role in ("admin", "member"))
        own = create_role(by=owner, organization=organization, name="Nothing")
        members.remove_member(organization=organization, user=admin, by=owner)

        with pytest.raises(PermissionDenied):
            members.set_roles(organization=organization, user=person, roles=[own], by=admin)

    def test_lets_a_key_give_no_more_than_its_scopes(self, organization, owner):
        key, _ = make_key(organization, owner, "members:write", "jobs:read")

        with pytest.raises(RoleNotHeld):
            self.set_roles(
                organization, make_member(organization, "member"), owner, "developer", key=key
            )

    def test_does_not_know_roles_of_others_and_for_staff(self, organization, owner):
        root, person = make_person(is_superuser=True), make_member(organization, "member")
        elsewhere = create_role(by=owner, organization=make_organization(owner=owner), name="Other")

        for role in (elsewhere, system_role("credit clerk")):
            with pytest.raises(NotFound):
                members.set_roles(organization=organization, user=person, roles=[role], by=root)


class TestRemoveMember:
    def test_ends_roles_keys_and_access_at_once(self, organization, owner):
        person = make_member(organization, "developer")
        _, secret = make_key(organization, person, "jobs:read")
        client = signed_in(person)
        assert client.get(f"/o/{organization.slug}/settings/").status_code == 200
        assert with_key(secret).get("/api/v1/jobs").status_code == 200

        members.remove_member(organization=organization, user=person, by=owner)

        assert client.get(f"/o/{organization.slug}/settings/").status_code == 404
        assert with_key(secret).get("/api/v1/jobs").status_code == 401
        assert ApiKey.objects.get().revoked_at is not None
        actions = AuditLog.objects.filter(organization=organization)
        assert actions.get(action="member.remove").before == {"roles": ["developer"]}
        assert actions.filter(action="api_key.revoke").exists()

    def test_leaves_keys_ended_when_the_person_comes_back(self, organization, owner):
        person = make_member(organization, "developer")
        _, secret = make_key(organization, person, "jobs:read")
        members.remove_member(organization=organization, user=person, by=owner)

        assign_role(user=person, role=system_role("developer"), organization=organization)

        assert with_key(secret).get("/api/v1/jobs").status_code == 401

    def test_leaves_everything_in_other_organizations(self, organization, owner):
        person = make_member(organization, "developer")
        other = make_organization(owner=person)
        _, secret = make_key(other, person, "jobs:read")

        members.remove_member(organization=organization, user=person, by=owner)

        assert role_names(other, person) == ["owner"]
        assert with_key(secret).get("/api/v1/jobs").status_code == 200

    def test_leaves_those_alone_who_may_do_more(self, organization, owner):
        with pytest.raises(MemberOutranksYou):
            members.remove_member(
                organization=organization, user=owner, by=make_member(organization, "admin")
            )

    def test_lets_one_owner_remove_another(self, organization, owner):
        second = make_member(organization, "owner")

        members.remove_member(organization=organization, user=second, by=owner)

        assert role_names(organization, second) == []

    def test_is_for_those_who_manage_members(self, organization):
        person, other = (make_member(organization, "member") for _ in range(2))

        with pytest.raises(PermissionDenied):
            members.remove_member(organization=organization, user=other, by=person)

    def test_knows_no_strangers(self, organization, owner):
        with pytest.raises(NotFound):
            members.remove_member(organization=organization, user=make_person(), by=owner)


class TestLeave:
    def test_needs_no_rank(self, organization):
        person = make_member(organization, "member")

        members.leave(organization=organization, user=person)

        assert role_names(organization, person) == []
        assert AuditLog.objects.filter(action="member.leave").exists()

    def test_keeps_the_last_owner_and_all_he_has(self, organization, owner):
        _, secret = make_key(organization, owner, "jobs:read")

        with pytest.raises(LastOwner):
            members.leave(organization=organization, user=owner)

        assert role_names(organization, owner) == ["owner"]
        assert with_key(secret).get("/api/v1/jobs").status_code == 200


class TestMembershipsOf:
    def test_tells_roles_entry_and_last_activity(self, organization):
        person = make_member(organization, "member", full_name="Mei Mensah")
        assign_role(user=person, role=system_role("developer"), organization=organization)
        presence.note_visit(organization=organization, user=person)

        found = selectors.membership_of(organization, person.public_id)

        assert found.role_names == ["developer", "member"]
        assert timezone.now() - found.last_active_at < timedelta(minutes=1)
        assert found.joined_at is not None

    def test_counts_what_a_key_did(self, organization):
        person = make_member(organization, "developer")
        _, secret = make_key(organization, person, "jobs:read")
        with_key(secret).get("/api/v1/jobs")

        assert selectors.membership_of(organization, person.public_id).last_active_at is not None

    def test_does_not_tell_of_activity_elsewhere(self, organization):
        person = make_member(organization, "developer")
        other = make_organization(owner=person)
        presence.note_visit(organization=other, user=person)
        _, secret = make_key(other, person, "jobs:read")
        with_key(secret).get("/api/v1/jobs")

        assert selectors.membership_of(organization, person.public_id).last_active_at is None

    def test_searches_names_and_addresses(self, organization):
        mei = make_member(organization, "member", full_name="Mei Mensah")
        bo = make_member(organization, "developer", email="bo@example.com")

        assert list(selectors.memberships_of(organization, search="mensah")) == [mei]
        assert list(selectors.memberships_of(organization, search="BO@")) == [bo]
        assert list(selectors.memberships_of(organization, role="developer")) == [bo]

    def test_asks_once_for_many(self, organization, django_assert_num_queries):
        for _ in range(5):
            make_member(organization, "member")

        with django_assert_num_queries(1):
            rows = list(selectors.memberships_of(organization))
        assert len(rows) == 6

    def test_is_read_a_chunk_at_a_time(self, organization, monkeypatch):
        for _ in range(5):
            make_member(organization, "member")
        monkeypatch.setattr(selectors, "CHUNK", 2)

        ids = [row[0] for row in selectors.member_rows(selectors.memberships_of(organization))]

        assert len(ids) == len(set(ids)) == 6


class TestNoteVisit:
    def test_keeps_one_row_that_moves_on(self, organization, owner):
        presence.note_visit(organization=organization, user=owner)
        first = LastSeen.objects.get().at
        presence.note_visit(organization=organization, user=owner)

        assert LastSeen.objects.get().at > first

    def test_is_called_by_pages_now_and_then(self, organization, owner):
        client = signed_in(owner)
        for _ in range(3):
            client.get(f"/o/{organization.slug}/settings/")
        first = LastSeen.objects.get(user=owner).at
        client.get(f"/o/{organization.slug}/settings/")

        assert LastSeen.objects.get(user=owner).at == first

"""Roles and shares that change while somebody else uses them: real connections, real commits."""

from collections.abc import Callable
from threading import Event

import pytest
from django.db import transaction

from apps.core.errors import DomainError
from apps.core.invariants import verify
from apps.jobs.models import GenerationJob
from apps.rbac.models import Role, UserRole
from apps.rbac.selectors import roles_of_member, shared_objects
from apps.rbac.services import assignments, members
from apps.rbac.services.custom_roles import RoleDraft, change_roles, create_role, delete_role
from apps.rbac.services.roles import system_role
from apps.rbac.services.sharing import revoke_share, share_object
from tests.jobs.work import make_job, set_price
from tests.people import make_member, make_organization, make_person
from tests.races.racing import at_once, wait_until_awaited

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 10  # seconds


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def admin(organization):
    return make_member(organization, "admin")


@pytest.fixture
def member(organization):
    return make_member(organization, "member")


@pytest.fixture
def role(owner, organization):
    return create_role(by=owner, organization=organization, name="Helper", codes=["jobs.view"])


def told(work: Callable[[], object]) -> str:
    try:
        work()
    except DomainError as error:
        return error.code
    return "done"


def overtaken(first: Callable[[], object], second: Callable[[], object]) -> list[str]:
    """
    Begin the second when the first has written, and commit the first when the second waits.

    A second one that does not wait is let through before: that is what a missing lock does.
    """
    has_written, is_through = Event(), Event()

    def begin() -> None:
        try:
            with transaction.atomic():
                first()
                has_written.set()
                wait_until_awaited(is_through)
        finally:
            has_written.set()

    def follow() -> None:
        assert has_written.wait(PATIENCE)
        try:
            second()
        finally:
            is_through.set()

    return at_once([lambda: told(begin), lambda: told(follow)])


def giving(role, *, by, to, organization):
    roles = [role, *roles_of_member(to, organization)]
    return lambda: members.set_roles(organization=organization, user=to, roles=roles, by=by)


def widening(role, *codes, by):
    draft = RoleDraft(role.pk, role.version, codes=frozenset({"jobs.view", *codes}))
    return lambda: change_roles(by=by, organization=role.organization, drafts=[draft])


def names_of(user, organization) -> list[str]:
    return [one.name for one in roles_of_member(user, organization)]


class TestTwoOwnersWhoRemoveEachOther:
    def test_leave_one_of_them(self, owner, organization):
        second = make_member(organization, "owner")

        def removing(user, by):
            return lambda: members.remove_member(organization=organization, user=user, by=by)

        outcomes = overtaken(removing(second, owner), removing(owner, second))

        assert outcomes == ["done", "permission_denied"]
        assert names_of(owner, organization) == ["owner"]

    def test_leave_one_of_them_when_staff_take_the_roles(self, owner, organization):
        second, root = make_member(organization, "owner"), make_person(is_superuser=True)

        def taking(user):
            return lambda: assignments.take_role(
                by=root, user=user, organization=organization, role=system_role("owner")
            )

        assert overtaken(taking(second), taking(owner)) == ["done", "last_owner"]


class TestARoleThatIsEditedWhileItIsGiven:
    def test_is_not_given_by_who_lacks_what_came_in(self, owner, admin, member, organization, role):
        outcomes = overtaken(
            widening(role, "billing.manage", by=owner),
            giving(role, by=admin, to=member, organization=organization),
        )

        assert outcomes == ["done", "role_not_held"]
        assert names_of(member, organization) == ["member"]

    def test_is_not_edited_by_who_was_demoted_meanwhile(self, owner, admin, organization, role):
        outcomes = overtaken(
            lambda: members.set_roles(
                organization=organization, user=admin, roles=[system_role("member")], by=owner
            ),
            widening(role, "jobs.cancel", by=admin),
        )

        assert outcomes == ["done", "permission_denied"]

    def test_is_not_given_by_who_was_removed_meanwhile(
        self, owner, admin, member, organization, role
    ):
        outcomes = overtaken(
            lambda: members.remove_member(organization=organization, user=admin, by=owner),
            giving(role, by=admin, to=member, organization=organization),
        )

        assert outcomes == ["done", "permission_denied"]

    def test_is_saved_by_one_of_two_who_read_the_same(self, owner, admin, role):
        outcomes = overtaken(
            widening(role, "jobs.cancel", by=owner), widening(role, "jobs.submit", by=admin)
        )

        assert outcomes == ["done", "role_changed"]
        assert set(role.permissions.values_list("name", flat=True)) == {"jobs.view", "jobs.cancel"}


class TestARoleThatIsDeletedWhileItIsGiven:
    def test_stays_when_it_was_given_first(self, owner, member, organization, role):
        outcomes = overtaken(
            giving(role, by=owner, to=member, organization=organization),
            lambda: delete_role(by=owner, role=role, version=1),
        )

        assert outcomes == ["done", "role_in_use"]
        assert names_of(member, organization) == ["Helper", "member"]

    def test_is_given_to_nobody_when_it_went_first(self, owner, member, organization, role):
        outcomes = overtaken(
            lambda: delete_role(by=owner, role=role, version=1),
            giving(role, by=owner, to=member, organization=organization),
        )

        assert outcomes == ["done", "not_found"]
        assert not UserRole.objects.filter(role=role.pk).exists()


class TestRolesOfOneName:
    def test_are_made_once(self, owner, organization):
        def making(name):
            return lambda: create_role(by=owner, organization=organization, name=name)

        outcomes = overtaken(making("Helper"), making("HELPER"))

        assert outcomes == ["done", "role_name_taken"]
        assert Role.objects.filter(organization=organization).count() == 1


class TestAShareThatIsTakenBackWhileItIsMade:
    def test_is_seen_or_is_over_as_a_whole(self, owner, organization):
        set_price()
        job, guest = make_job(organization, owner), make_person()

        def share():
            return share_object(
                by=owner, organization=organization, object_id=job.public_id, email=guest.email
            )

        first = share()
        outcomes = overtaken(lambda: revoke_share(by=owner, share=first), share)

        assert outcomes == ["done", "done"]
        assert list(shared_objects(guest, GenerationJob)) == [job]
        assert [found for found in verify() if found.failures] == []

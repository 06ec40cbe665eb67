"""What the editor of roles answers, to members on their pages and to staff in the back office."""

import pytest
from django.db.models import F

from apps.core.errors import NotFound
from apps.rbac.errors import PermissionNotHeld
from apps.rbac.models import Role
from apps.rbac.selectors import codes_of
from apps.rbac.services import matrix
from apps.rbac.services.custom_roles import create_role
from apps.rbac.services.roles import assign_role
from tests.people import make_member, make_organization, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture(params=["of an organization", "that counts everywhere"])
def role(request, owner):
    """Return a role that the owner may change; two kinds, two editors."""
    where = make_organization(owner=owner) if request.param == "of an organization" else None
    if where is None:
        owner.is_superuser = owner.is_staff = True
        owner.save()
    return create_role(by=owner, organization=where, name="Reviewer", codes=["jobs.view"])


def sent(role: Role, *codes: str, step: str = "save") -> dict[str, list[str]]:
    end = role.public_id
    return {
        "step": [step],
        f"version-{end}": [str(role.version)],
        f"name-{end}": [role.name],
        f"description-{end}": [role.description],
        f"codes-{end}": list(codes),
    }


def answer(role: Role, by, *codes: str, step: str = "save"):
    return matrix.answer(sent(role, *codes, step=step), role.organization, by=by)


def codes_now(role: Role) -> set[str]:
    return set(codes_of([role])[role.pk])


class TestAnswer:
    @pytest.mark.parametrize("step", ["preview", "", "anything"])
    def test_shows_first_and_saves_nothing(self, owner, role, step):
        shown = answer(role, owner, "jobs.view", "billing.view", step=step)

        assert isinstance(shown, matrix.Preview)
        (difference,) = shown.differences
        assert [one.code for one in difference["added"]] == ["billing.view"]
        assert codes_now(role) == {"jobs.view"}

    def test_saves_what_the_preview_sends_once_more(self, owner, role):
        shown = answer(role, owner, "jobs.view", "billing.view", step="preview")
        data = {"step": ["save"]}
        for name, value in shown.fields:
            data.setdefault(name, []).append(value)

        saved = matrix.answer(data, role.organization, by=owner)

        assert saved == matrix.Saved(has_changed=True)
        assert saved.message.startswith("The roles are saved.")
        assert codes_now(role) == {"jobs.view", "billing.view"}

    def test_asks_for_no_confirmation_of_nothing(self, owner, role):
        found = answer(role, owner, "jobs.view", step="preview")

        assert found == matrix.Saved(has_changed=False)
        assert found.message == "Nothing was changed."

    def test_forgets_what_was_chosen_against_an_older_version(self, owner, role):
        Role.objects.filter(pk=role.pk).update(version=F("version") + 1)

        found = answer(role, owner, "billing.view")

        assert isinstance(found, matrix.Refused)
        assert (found.status, found.drafts) == (412, [])

    def test_tells_a_role_that_is_gone_from_a_page_that_is_gone(self, owner, role):
        data, where = sent(role, "billing.view"), role.organization
        role.delete()

        found = matrix.answer(data, where, by=owner)

        assert isinstance(found, matrix.Refused)
        assert isinstance(found.refusal, NotFound)
        assert (found.status, found.drafts) == (409, [])


def test_a_refusal_that_can_be_mended_keeps_what_was_chosen(owner):
    organization = make_organization(owner=owner)
    role = create_role(by=owner, organization=organization, name="Reviewer", codes=["jobs.view"])
    maker = create_role(
        by=owner, organization=organization, name="Maker", codes=["roles.view", "roles.manage"]
    )
    member = make_member(organization, "member")
    assign_role(user=member, role=maker, organization=organization)

    found = answer(role, member, "jobs.view", "organization.close")

    assert isinstance(found, matrix.Refused)
    assert isinstance(found.refusal, PermissionNotHeld)
    assert found.status == PermissionNotHeld.status
    (draft,) = found.drafts
    assert draft.codes == {"jobs.view", "organization.close"}
    assert codes_now(role) == {"jobs.view"}

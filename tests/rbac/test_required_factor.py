"""Organizations that open only to those who have shown a second factor."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.tenants.errors import OwnSecondFactorMissing
from apps.tenants.models import AuditLog, Organization
from apps.tenants.services.security import require_second_factor
from tests.people import (
    give_second_factor,
    make_key,
    make_member,
    make_organization,
    make_person,
    signed_in,
    with_key,
)
from tests.problem_documents import PROBLEM, Draft202012Validator

pytestmark = pytest.mark.django_db

PAGES = ("", "keys/", "jobs/", "settings/", "security/", "lots/")
READS = ("organization", "me", "keys", "credits/balance", "jobs", "organization/security")


@pytest.fixture
def owner():
    owner = make_person(email="owner@example.com")
    give_second_factor(owner)
    return owner


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner, name="Vault")


@pytest.fixture
def closed(organization, owner):
    """An organization that asks for a second factor."""
    return require_second_factor(organization=organization, is_required=True, user=owner)


@pytest.fixture
def member(organization):
    return make_member(organization, "admin", email="member@example.com")


class TestAClosedOrganization:
    @pytest.mark.parametrize("page", PAGES)
    def test_leads_a_member_without_a_factor_to_setting_it_up(self, closed, member, page):
        answer = signed_in(member).get(f"/o/{closed.slug}/{page}", follow=True)

        assert answer.redirect_chain[0][0].startswith("/account/second-factor/")
        assert "Vault lets people in only with a second factor" in answer.content.decode()

    @pytest.mark.parametrize("page", PAGES)
    def test_opens_to_one_who_has_shown_it(self, closed, member, page):
        answer = signed_in(member, has_factor=True).get(f"/o/{closed.slug}/{page}")

        assert answer.status_code == 200

    def test_does_not_open_to_a_session_from_before(self, closed, member):
        give_second_factor(member)

        assert signed_in(member).get(f"/o/{closed.slug}/").status_code == 302

    def test_closes_again_when_the_factor_is_removed(self, closed, member):
        client = signed_in(member, has_factor=True)
        member.authenticator_set.all().delete()

        assert client.get(f"/o/{closed.slug}/").status_code == 302

    def test_changes_nothing_for_one_without(self, closed, owner):
        other = make_member(closed, "owner")

        answer = signed_in(other).post(f"/o/{closed.slug}/settings/", {"name": "Mine now"})

        assert answer["Location"].startswith("/account/second-factor/")
        assert Organization.objects.get(pk=closed.pk).name == "Vault"

    def test_shows_nothing_of_itself_on_other_pages(self, closed, member):
        page = signed_in(member).get("/account/profile/").content.decode()

        assert f"/o/{closed.slug}/jobs/" not in page
        assert f"/o/{closed.slug}/jobs/" in (
            signed_in(member, has_factor=True).get("/account/profile/").content.decode()
        )

    @pytest.mark.parametrize("path", READS)
    def test_refuses_the_api_to_a_session_without(self, closed, member, path):
        answer = signed_in(member).get(f"/api/v1/{path}")

        assert answer.status_code == 403
        assert answer.json()["code"] == "second_factor_required"
        assert Draft202012Validator(PROBLEM).is_valid(answer.json())

    @pytest.mark.parametrize("path", READS)
    def test_opens_the_api_to_a_session_with(self, closed, member, path):
        assert signed_in(member, has_factor=True).get(f"/api/v1/{path}").status_code == 200

    def test_goes_on_for_api_keys(self, closed, owner):
        _, token = make_key(closed, owner, "credits:read", "organization:read")

        assert with_key(token).get("/api/v1/credits/balance").status_code == 200

    def test_does_not_exist_for_others(self, closed):
        stranger = signed_in(make_person())

        there = stranger.get(f"/o/{closed.slug}/")
        nowhere = stranger.get("/o/nowhere-at-all/")

        assert (there.status_code, nowhere.status_code) == (404, 404)

    def test_leaves_other_organizations_open(self, closed, member):
        other = make_organization(owner=member, name="Open")

        assert signed_in(member).get(f"/o/{other.slug}/").status_code == 200


class TestRequiringIt:
    def test_is_for_owners_who_have_one(self, organization, owner):
        client = signed_in(owner, has_factor=True)

        client.post(f"/o/{organization.slug}/security/", {"is_required": "yes"})

        organization.refresh_from_db()
        assert organization.requires_second_factor
        row = AuditLog.objects.get(action="organization.secure")
        assert (row.before, row.after) == (
            {"requires_second_factor": False},
            {"requires_second_factor": True},
        )
        assert row.actor == f"user:{owner.public_id}"

    def test_is_refused_to_an_owner_without(self, organization):
        other = make_member(organization, "owner")

        page = signed_in(other).post(f"/o/{organization.slug}/security/", {"is_required": "yes"})
        with pytest.raises(OwnSecondFactorMissing):
            require_second_factor(organization=organization, is_required=True, user=other)

        organization.refresh_from_db()
        assert page.status_code == 409
        assert not organization.requires_second_factor

    @pytest.mark.parametrize("role", ["admin", "member", "read-only", "developer"])
    def test_is_refused_to_other_roles(self, organization, role):
        client = signed_in(make_member(organization, role), has_factor=True)

        page = client.post(f"/o/{organization.slug}/security/", {"is_required": "yes"})
        api = client.put(
            "/api/v1/organization/security",
            {"second_factor_required": True},
            content_type="application/json",
        )

        organization.refresh_from_db()
        assert (page.status_code, api.status_code) == (403, 403)
        assert not organization.requires_second_factor

    def test_is_done_by_api_as_well(self, organization, owner):
        client = signed_in(owner, has_factor=True)

        answer = client.put(
            "/api/v1/organization/security",
            {"second_factor_required": True},
            content_type="application/json",
        )

        assert answer.json() == {
            "object": "organization_security",
            "second_factor_required": True,
            "members_without_second_factor": 0,
        }

    def test_is_refused_to_api_keys(self, organization, owner):
        _, token = make_key(organization, owner, "organization:write")

        answer = with_key(token).put(
            "/api/v1/organization/security",
            {"second_factor_required": True},
            content_type="application/json",
        )

        assert answer.status_code == 403

    def test_twice_is_once(self, closed, owner):
        require_second_factor(organization=closed, is_required=True, user=owner)

        assert AuditLog.objects.filter(action="organization.secure").count() == 1

    def test_can_be_ended(self, closed, owner, member):
        signed_in(owner, has_factor=True).post(f"/o/{closed.slug}/security/", {"is_required": "no"})

        assert signed_in(member).get(f"/o/{closed.slug}/").status_code == 200

    def test_names_those_it_would_keep_out_to_owners_alone(self, organization, owner, member):
        page = f"/o/{organization.slug}/security/"

        assert member.email in signed_in(owner).get(page).content.decode().split("<main")[1]
        assert member.email not in signed_in(member).get(page).content.decode().split("<main")[1]

    def test_asks_as_much_for_more_members(self, organization, owner):
        client = signed_in(owner)
        page = f"/o/{organization.slug}/security/"
        client.get(page)
        with CaptureQueriesContext(connection) as few:
            client.get(page)
        for _ in range(4):
            make_member(organization, "member")
        with CaptureQueriesContext(connection) as many:
            client.get(page)

        assert len(many) == len(few)


class TestTheStaffApi:
    @pytest.mark.parametrize(("has_factor", "status"), [(False, 403), (True, 200)])
    def test_asks_for_a_factor(self, has_factor, status):
        root = make_person(is_staff=True, is_superuser=True)

        answer = signed_in(root, has_factor=has_factor).get("/api/v1/staff/corrections")

        assert answer.status_code == status

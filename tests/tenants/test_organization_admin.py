"""What staff do to organizations in the back office."""

import pytest

from apps.rbac.models import UserRole
from apps.tenants.models import Organization
from apps.tenants.selectors import audit_log_of
from apps.tenants.services.standing import close_organization
from tests.credits.admin.staff import make_root, make_staff
from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/tenants/organization/"


@pytest.fixture
def organization():
    return make_organization(name="Acme")


@pytest.fixture
def client():
    return signed_in(make_root())


def send(client, organization, **changes):
    form = {
        "name": "Acme",
        "description": "",
        "website": "",
        "billing_email": "",
        "time_zone": "UTC",
        "max_users": "",
        "standing": "",
        "reason": "",
    }
    return client.post(f"{LIST}{organization.pk}/change/", {**form, **changes}, follow=True)


def now(organization) -> Organization:
    return Organization.objects.get(pk=organization.pk)


class TestOrganizationAdmin:
    def test_shows_the_status_of_each(self, client, organization):
        close_organization(organization=organization, confirmation=organization.slug)

        assert "closed" in client.get(LIST).content.decode()
        assert client.get(f"{LIST}{organization.pk}/change/").status_code == 200

    def test_makes_one_with_owner_and_wallet(self, client):
        owner = make_person()

        client.post(f"{LIST}add/", {"name": "Fresh", "owner": owner.pk})

        made = Organization.objects.get(slug="fresh")
        assert UserRole.objects.get(organization=made).user == owner

    def test_changes_what_was_changed(self, client, organization):
        send(client, organization, time_zone="Asia/Tokyo", max_users=7)

        changed = now(organization)
        assert (changed.time_zone, changed.max_users) == ("Asia/Tokyo", 7)
        actions = set(audit_log_of(organization).values_list("action", flat=True))
        assert actions >= {"organization.update", "organization.limit"}

    def test_shuts_out_and_lets_in_with_a_reason(self, client, organization):
        send(client, organization, standing="deactivate", reason="Abuse")
        assert now(organization).status == "deactivated"

        send(client, organization, standing="activate", reason="Cleared")

        assert now(organization).status == "active"
        assert audit_log_of(organization).filter(reason__in=["Abuse", "Cleared"]).count() == 2

    def test_opens_a_closed_one_again(self, client, organization):
        close_organization(organization=organization, confirmation=organization.slug)

        send(client, organization, standing="reopen", reason="Asked")

        assert now(organization).status == "active"

    def test_asks_for_the_reason(self, client, organization):
        answer = send(client, organization, standing="deactivate")

        assert "Say why." in answer.content.decode()
        assert now(organization).status == "active"

    @pytest.mark.parametrize("verb", ["activate", "reopen", "close", "delete"])
    def test_offers_only_what_the_status_allows(self, client, organization, verb):
        send(client, organization, standing=verb, reason="Trying")

        assert now(organization).status == "active"
        assert not audit_log_of(organization).filter(reason="Trying").exists()

    def test_shows_a_refusal_and_does_nothing(self, client, organization):
        close_organization(organization=organization, confirmation=organization.slug)
        UserRole.objects.filter(organization=organization).delete()

        answer = send(client, organization, standing="reopen", reason="Asked", max_users=3)

        assert "without an owner" in answer.content.decode()
        assert (now(organization).status, now(organization).max_users) == ("closed", None)

    def test_lets_nobody_change_the_status_without_the_permission(self, organization):
        from django.contrib.auth.models import Permission

        clerk = make_staff()
        clerk.user_permissions.add(
            *Permission.objects.filter(
                codename__in=["change_organization", "view_organization"],
                content_type__app_label="tenants",
            )
        )

        send(signed_in(clerk), organization, standing="deactivate", reason="Mine", max_users=2)

        assert (now(organization).status, now(organization).max_users) == ("active", 2)

    def test_deletes_none(self, client, organization):
        assert client.post(f"{LIST}{organization.pk}/delete/", {"post": "yes"}).status_code == 403
        assert now(organization)

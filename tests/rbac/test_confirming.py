"""Steps that ask once more who it is: making keys, and saying how members sign in."""

import time

import pytest

from apps.rbac.models import ApiKey, OwnershipTransfer
from apps.rbac.services.ownership import request_transfer
from tests.people import (
    give_second_factor,
    make_key,
    make_member,
    make_organization,
    make_person,
    signed_in,
    with_key,
)

pytestmark = pytest.mark.django_db

PASSWORD = "a long and quiet sentence"
KEY = {"name": "Build server", "scopes": ["jobs:read"], "lifetime": "90"}


@pytest.fixture
def owner():
    return make_person(password=PASSWORD)


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def stale(owner, organization):
    """A session in which the password was shown long ago."""
    return signed_in(owner, is_fresh=False)


def shown_ago(person, seconds: float):
    client = signed_in(person)
    session = client.session
    session["account_authentication_methods"][0]["at"] = time.time() - seconds
    session.save()
    return client


class TestAPage:
    def test_asks_for_the_password_and_then_does_what_was_asked(self, stale, organization):
        asked = stale.post(f"/o/{organization.slug}/keys/", KEY)
        assert asked["Location"].startswith("/accounts/reauthenticate/")
        assert not ApiKey.objects.exists()

        done = stale.post(asked["Location"], {"password": PASSWORD})

        assert done.status_code == 200
        assert ApiKey.objects.get().name == "Build server"
        assert "cof_test_" in done.content.decode()
        assert f'action="/o/{organization.slug}/keys/"' in done.content.decode()

    def test_does_nothing_after_a_wrong_password(self, stale, organization):
        asked = stale.post(f"/o/{organization.slug}/keys/", KEY)
        stale.post(asked["Location"], {"password": "wrong"})

        assert not ApiKey.objects.exists()

    def test_does_not_ask_within_five_minutes(self, owner, organization):
        shown_ago(owner, 290).post(f"/o/{organization.slug}/keys/", KEY)

        assert ApiKey.objects.count() == 1

    def test_asks_after_five_minutes(self, owner, organization):
        shown_ago(owner, 310).post(f"/o/{organization.slug}/keys/", KEY)

        assert not ApiKey.objects.exists()

    def test_does_not_ask_of_readers(self, stale, organization):
        assert stale.get(f"/o/{organization.slug}/keys/").status_code == 200

    def test_does_not_ask_before_a_key_is_stopped(self, stale, owner, organization):
        key, _ = make_key(organization, owner, "jobs:read")

        stale.post(f"/o/{organization.slug}/keys/{key.public_id}/revoke/")

        key.refresh_from_db()
        assert key.revoked_at is not None

    def test_does_not_take_another_persons_password(self, owner, organization):
        other = make_person(password="another quiet sentence")
        client = signed_in(owner, is_fresh=False)
        session = client.session
        session["account_authentication_methods"] = [
            {"method": "password", "at": time.time(), "reauthenticated": True}
        ]
        session["account_authentication_methods_user"] = str(other.pk)
        session.save()

        client.post(f"/o/{organization.slug}/keys/", KEY)

        assert not ApiKey.objects.exists()

    def test_asks_before_the_rule_of_sign_in_changes(self, stale, owner, organization):
        give_second_factor(owner)

        answer = stale.post(f"/o/{organization.slug}/security/", {"is_required": "yes"})

        organization.refresh_from_db()
        assert "reauthenticate" in answer["Location"]
        assert not organization.requires_second_factor


class TestAStepThatCannotBeTakenBack:
    """Each of them, by page and by API, changes nothing until the person has shown who he is."""

    @pytest.fixture
    def heir(self, organization):
        return make_member(organization, "member", password=PASSWORD)

    @pytest.fixture
    def offer(self, organization, owner, heir):
        return request_transfer(organization=organization, from_user=owner, to_user=heir)

    def refuses(self, person, page, form, endpoint, body):
        client = signed_in(person, is_fresh=False)
        asked = client.post(page, form)
        refused = client.post(f"/api/v1/{endpoint}", body, "application/json")
        return (
            asked["Location"].startswith("/accounts/reauthenticate/")
            and refused.json()["code"] == "confirmation_required"
        )

    def test_closing(self, owner, organization):
        form = {"confirm": organization.slug}

        assert self.refuses(
            owner, f"/o/{organization.slug}/danger/", form, "organization/closing", form
        )
        organization.refresh_from_db()
        assert organization.status == "active"

    def test_offering_it(self, owner, organization, heir):
        page = f"/o/{organization.slug}/ownership/offer/"

        assert self.refuses(
            owner, page, {"to": heir.pk}, "organization/transfers", {"to": heir.public_id}
        )
        assert not OwnershipTransfer.objects.exists()

    def test_accepting_it(self, organization, heir, offer):
        page = f"/o/{organization.slug}/ownership/{offer.public_id}/accept/"
        endpoint = f"organization/transfers/{offer.public_id}/accept"

        assert self.refuses(heir, page, {}, endpoint, {})
        offer.refresh_from_db()
        assert offer.status == "pending"

    def test_a_new_secret(self, owner, organization):
        key, _ = make_key(organization, owner, "jobs:read")
        page = f"/o/{organization.slug}/keys/{key.public_id}/rotate/"
        form = {"overlap": "24", "lifetime": "keep", "hint": key.hint}

        assert self.refuses(owner, page, form, f"keys/{key.public_id}/rotate", {})
        key.refresh_from_db()
        assert key.rotated_at is None


class TestTheApi:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("post", "keys", {"name": "Build server", "scopes": ["jobs:read"]}),
            ("put", "organization/security", {"second_factor_required": False}),
        ],
    )
    def test_refuses_a_stale_session(self, stale, owner, organization, method, path, body):
        def send(client):
            return getattr(client, method)(f"/api/v1/{path}", body, "application/json")

        refused = send(stale)

        assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required")
        assert not ApiKey.objects.exists()
        assert send(signed_in(owner)).status_code in (200, 201)

    def test_lets_a_stale_session_read(self, stale, organization):
        assert stale.get("/api/v1/keys").status_code == 200

    def test_does_not_ask_api_keys(self, owner, organization):
        _, token = make_key(organization, owner, "keys:read")

        assert with_key(token).get("/api/v1/keys").status_code == 200

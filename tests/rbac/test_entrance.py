"""The start page, and the demo's one-click logins."""

import json

import pytest

from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(settings, tmp_path):
    """A demo whose seed has written down one person."""
    person = make_person(email="ada@demo.test")
    make_organization(owner=person, name="Acme")
    settings.DEMO = True
    settings.DEMO_LOGINS = tmp_path / "demo.json"
    login = {"email": person.email, "role": "owner", "description": "Owns it", "password": "x"}
    settings.DEMO_LOGINS.write_text(json.dumps({"logins": [login], "api_keys": []}))


class TestTheStartPage:
    def test_invites_a_visitor(self, client):
        assert "Create an organization" in client.get("/").content.decode()

    def test_offers_the_people_of_the_demo(self, client, demo):
        assert "ada@demo.test" in client.get("/").content.decode()

    def test_leads_somebody_with_one_organization_there(self):
        person = make_person()
        organization = make_organization(owner=person)

        answer = signed_in(person).get("/", follow=True)

        assert answer.redirect_chain[-1][0] == f"/o/{organization.slug}/"


class TestTheDemosLogin:
    def test_signs_in_by_one_click(self, client, demo):
        answer = client.post("/demo/login", {"email": "ada@demo.test"}, follow=True)

        assert answer.redirect_chain[-1][0] == "/o/acme/"

    def test_knows_nobody_else(self, client, demo):
        other = make_person()

        assert client.post("/demo/login", {"email": other.email}).status_code == 404

    def test_does_not_exist_elsewhere(self, client, demo, settings):
        settings.DEMO = False

        assert client.post("/demo/login", {"email": "ada@demo.test"}).status_code == 404

"""Addresses with a NUL, by which PostgreSQL looks for nothing."""

import pytest

from tests.capacity.plants import make_project
from tests.partners.programme import make_programme
from tests.people import make_key, make_member, make_organization, signed_in, with_key
from tests.problem_documents import problem_of

pytestmark = pytest.mark.django_db
SCOPES = ("capacity:read", "partners:read")


@pytest.fixture
def organization():
    return make_organization()


class TestAddressMiddleware:
    def test_answers_that_there_is_no_such_object(self, organization):
        owner, project = make_member(organization, "owner"), make_project(1)
        api = with_key(make_key(organization, owner, *SCOPES)[1])
        for name in ("projects/a%00b", f"projects/{project.code}/blocks/a%00b"):
            answer = api.get(f"/api/v1/{name}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        page = signed_in(owner).get(f"/o/{organization.slug}/capacity/projects/a%00b/")
        assert page.status_code == 404

    def test_refuses_such_parameters(self):
        partner = make_programme()
        client = signed_in(make_member(partner.organization, "partner manager"))
        here = f"/o/{partner.organization.slug}/programme/statements/"
        assert client.get(f"{here}?past=a%00b").status_code == 400
        assert client.get(f"{here}?past=a%2500b").status_code == 200
        told = client.get("/api/v1/projects?cursor=a%00b")
        assert problem_of(told, 400, "validation_error")["detail"].endswith("Leave it out.")

"""
What belongs to another organization looks like what never was, byte for byte.

Every address with an id is found in the resolver; for each kind of id a foreign row is made,
so that a new kind fails here until it says how a row of it comes to be.
"""

import re

import pytest

from apps.core import ids
from apps.partners.services.programmes import make_partner
from apps.tenants.models import Organization
from tests.jobs.work import set_price
from tests.people import make_member, make_organization, signed_in
from tests.walls.foreign import ADDRESSES, KINDS, WORDS, filled, kinds_in

pytestmark = pytest.mark.django_db

METHODS = ("get", "post", "put", "patch", "delete")
HIDDEN_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"|X-CSRFToken[^}]+')
WITH_ID = [address for address in ADDRESSES if kinds_in(address)]


@pytest.fixture
def theirs() -> Organization:
    set_price()
    return make_organization(name="Foreign")


@pytest.fixture
def client(db):
    ours = make_organization(name="Ours", slug="ours")
    make_partner(organization=ours, name="Ours")
    return signed_in(make_member(ours, "owner"), has_factor=True)


def answer(client, method: str, path: str, name: str) -> tuple[int, bytes, dict[str, str]]:
    """Return all that the caller gets, without the name that he gave himself."""
    response = getattr(client, method)(
        path,
        content_type="application/json",
        headers={"X-Request-ID": "the-same-for-both", "Idempotency-Key": str(ids.new_id())},
    )
    body = HIDDEN_TOKEN.sub(b"", b"".join(response) if response.streaming else response.content)
    headers = {key: value.replace(name, "") for key, value in response.headers.items()}
    headers.pop("Content-Length", None)
    headers.pop("Expires", None)
    return response.status_code, body.replace(name.encode(), b""), headers


class TestAForeignId:
    def test_is_asked_for_at_many_addresses(self):
        assert len(WITH_ID) > 30

    @pytest.mark.parametrize("address", WITH_ID)
    def test_looks_like_one_that_never_was(self, address, client, theirs):
        (kind,) = kinds_in(address)
        assert kind in KINDS, f"say in KINDS how a {kind} comes to be in another organization"
        row = KINDS[kind](theirs, make_member(theirs, "owner"))
        missing = ids.encode(row.PREFIX, ids.new_id())
        for method in METHODS:
            answers = [
                answer(client, method, filled(address, {"slug": "ours", kind: name, **WORDS}), name)
                for name in (row.public_id, missing)
            ]
            assert answers[0] == answers[1]
            assert answers[0][0] in (400, 404, 405)

    @pytest.mark.parametrize("page", ["", "jobs/", "keys/", "members/", "settings/", "start/"])
    def test_of_an_organization_is_told_by_no_page(self, page, client, theirs):
        answers = [
            answer(client, "get", f"/o/{slug}/{page}", slug) for slug in (theirs.slug, "missing")
        ]

        assert answers[0] == answers[1]
        assert answers[0][0] == 404

    def test_of_an_organization_is_told_by_no_header(self, client, theirs):
        missing = ids.encode("org", ids.new_id())
        answers = [
            client.get(
                "/api/v1/jobs",
                headers={"Coffer-Organization": name, "X-Request-ID": "the-same-for-both"},
            )
            for name in (theirs.public_id, missing)
        ]

        assert answers[0].content == answers[1].content
        assert answers[0].status_code == 404

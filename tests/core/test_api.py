"""What every address of the API does: problem documents, pages, and a description that is true."""

import pytest
from django.core.management import call_command

from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.grants import grant_credits
from tests.people import make_key, make_member, make_organization, with_key
from tests.problem_documents import problem_of

pytestmark = pytest.mark.django_db
TRANSACTIONS = "/api/v1/credits/transactions"


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def client(organization):
    developer = make_member(organization, "developer")
    return with_key(make_key(organization, developer, "credits:read", "jobs:write", "jobs:read")[1])


class TestErrors:
    @pytest.mark.parametrize(
        ("method", "address", "status", "code"),
        [
            ("get", "/api/v1/nothing", 404, "not_found"),
            ("get", f"{TRANSACTIONS}/txn_nothing", 404, "not_found"),
            ("delete", TRANSACTIONS, 405, "method_not_allowed"),
            ("get", "/api/v1/keys", 403, None),
            ("get", f"{TRANSACTIONS}?colour=red", 400, "validation_error"),
            ("get", f"{TRANSACTIONS}?limit=0", 400, "validation_error"),
            ("get", f"{TRANSACTIONS}?limit=101", 400, "validation_error"),
            ("get", f"{TRANSACTIONS}?cursor=mine", 400, "validation_error"),
        ],
    )
    def test_are_problem_documents(self, client, method, address, status, code):
        problem_of(getattr(client, method)(address), status, code)

    def test_are_so_for_a_body_that_cannot_be_read(self, client):
        answer = client.post("/api/v1/jobs", "{", content_type="application/json")

        problem_of(answer, 400, "parse_error")

    def test_are_so_for_a_media_type_that_is_not_taken(self, client):
        problem_of(client.post("/api/v1/jobs", "<a/>", content_type="text/xml"), 415)

    def test_are_so_without_a_key(self):
        answer = with_key("cof_test_wrong").get(TRANSACTIONS)

        problem_of(answer, 401, "authentication_required")
        assert "Bearer" in answer["WWW-Authenticate"]

    def test_are_so_for_what_broke(self, client, monkeypatch):
        monkeypatch.setattr("apps.credits.selectors.main_wallet", lambda _: 1 / 0)
        client.raise_request_exception = False

        problem = problem_of(client.get(TRANSACTIONS), 500, "internal_error")

        assert "division" not in problem["detail"]


class TestPages:
    def test_show_each_row_once_while_new_ones_come(self, client, organization):
        wallet = main_wallet(organization)
        for number in range(7):
            give(wallet, number)

        seen, address = [], f"{TRANSACTIONS}?limit=3"
        for turn in range(3):
            answer = client.get(address).json()
            seen += [row["sequence"] for row in answer["data"]]
            give(wallet, 100 + turn)
            if answer["next_cursor"]:
                address = f"{TRANSACTIONS}?limit=3&cursor={answer['next_cursor']}"

        assert seen == [8, 7, 6, 5, 4, 3, 2, 1]  # with the trial
        assert answer["has_more"] is False

    def test_say_where_the_next_one_is(self, client, organization):
        give(main_wallet(organization), 1)

        link = client.get(f"{TRANSACTIONS}?limit=1")["Link"]

        assert link.endswith('rel="next"')
        assert "cursor=" in link


class TestTheDescription:
    def test_is_written_without_a_warning(self, tmp_path):
        call_command(
            "spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml")
        )

    def test_names_every_address(self, client):
        paths = set(client.get("/api/schema/?format=json").json()["paths"])

        assert {
            "/api/v1/credits/balance",
            "/api/v1/jobs",
            "/api/v1/jobs/{job_id}",
            "/api/v1/uploads",
            "/api/v1/keys",
            "/api/v1/me",
        } <= paths

    def test_speaks_to_callers_alone(self, client):
        assert ":raises" not in client.get("/api/schema/?format=json").content.decode()

    def test_asks_for_the_key_where_it_is_due(self, client):
        paths = client.get("/api/schema/?format=json").json()["paths"]

        parameters = paths["/api/v1/jobs"]["post"]["parameters"]
        assert [one["name"] for one in parameters if one.get("required")] == ["Idempotency-Key"]
        assert {"402", "409", "422"} <= paths["/api/v1/jobs"]["post"]["responses"].keys()

    @pytest.mark.parametrize(
        ("name", "is_paged"), [("credits/transactions", True), ("operations", False)]
    )
    def test_says_how_lists_are_answered(self, client, name, is_paged):
        told = client.get("/api/schema/?format=json").json()
        operation = told["paths"][f"/api/v1/{name}"]["get"]
        shape = operation["responses"]["200"]["content"]["application/json"]["schema"]
        component = told["components"]["schemas"][shape["$ref"].rpartition("/")[2]]

        assert component["properties"].keys() == client.get(f"/api/v1/{name}").json().keys()
        parameters = {one["name"] for one in operation.get("parameters", ())}
        assert ({"limit", "cursor"} <= parameters) is is_paged


def give(wallet, number):
    grant_credits(
        wallet=wallet,
        amount=1,
        kind=Lot.Kind.PROMOTIONAL,
        reference=f"gift:{number}",
        source="test",
    )

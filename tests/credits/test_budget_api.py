"""The API of budgets: who may, what is refused, and nothing twice."""

from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import context
from apps.core.invariants import verify
from apps.credits import selectors
from apps.credits.models import Budget, BudgetAlert
from apps.credits.services.budgets import create_budget
from apps.credits.services.charges import charge_amount
from apps.tenants.models import AuditLog
from tests.mails import send
from tests.people import make_key, make_member, make_organization, signed_in, with_key
from tests.problem_documents import problem_of

pytestmark = pytest.mark.django_db(transaction=True)
API = "/api/v1/credits/budgets"
SCOPES = ("credits:read", "credits:write", "budgets:write")


@pytest.fixture(autouse=True)
def _nothing_is_broken():
    yield
    assert [finding for finding in verify() if finding.failures] == []


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def wallet(organization):
    return selectors.main_wallet(organization)


@pytest.fixture
def client(organization):
    return by_key(organization, "owner", *SCOPES)


def by_key(organization, role, *scopes):
    return with_key(make_key(organization, make_member(organization, role), *scopes)[1])


def post(client, path, body=None, key=None):
    headers = {"Idempotency-Key": key or str(uuid4())}
    return client.post(path, body or {}, content_type="application/json", headers=headers)


def patch(client, budget, **body):
    return client.patch(f"{API}/{budget}", body, content_type="application/json")


def make(client, **body):
    answer = post(client, API, {"monthly_limit": 100, **body})
    assert answer.status_code == 201, answer.content
    return answer.json()


def charge(wallet, amount, reference="a"):
    with context.acting(actor="system:test"):
        charge_amount(wallet=wallet, amount=amount, reference=reference, source="test")


class TestMake:
    def test_says_what_is_limited_and_used(self, client, wallet):
        charge(wallet, 30)
        answer = post(client, API, {"monthly_limit": 100})

        body = answer.json()
        assert answer.headers["Location"] == f"{API}/{body['id']}"
        assert body["object"] == "budget"
        assert (body["member"], body["action"], body["thresholds"]) == (None, "stop", [50, 80, 100])
        assert (body["used"], body["remaining"], body["is_active"]) == (30, 70, True)
        assert body["month"].endswith("-01")
        assert body["resets_at"] > body["month"]
        assert client.get(answer.headers["Location"]).json() == body

    def test_stops_the_next_charge_of_an_integrator(self, client):
        make(client, monthly_limit=10)
        spend = "/api/v1/credits/spend"
        assert post(client, spend, {"amount": 10}).status_code == 201

        problem = problem_of(post(client, spend, {"amount": 1}), 402)
        assert problem["code"] == "budget_exceeded"
        assert (problem["limit"], problem["used"], problem["asked"]) == (10, 10, 1)
        assert problem["scope"] == "organization"

    def test_once_for_a_key(self, client):
        key = str(uuid4())
        first = post(client, API, {"monthly_limit": 5}, key)
        again = post(client, API, {"monthly_limit": 5}, key)

        assert again.json() == first.json()
        assert again.headers["Idempotent-Replayed"] == "true"
        assert post(client, API, {"monthly_limit": 6}, key).status_code == 422
        assert Budget.objects.count() == 1

    def test_needs_a_key(self, client):
        answer = client.post(API, {"monthly_limit": 5}, content_type="application/json")

        assert problem_of(answer, 400)["code"] == "idempotency_key_required"

    def test_is_refused_if_there_is_one(self, client):
        make(client)

        answer = post(client, API, {"monthly_limit": 5})
        assert problem_of(answer, 409)["code"] == "budget_exists"

    def test_for_a_member(self, client, organization):
        member = make_member(organization, "member")

        assert make(client, member=member.public_id)["member"] == member.public_id

    def test_not_for_a_stranger(self, client):
        stranger = make_member(make_organization(), "owner")

        answer = post(client, API, {"monthly_limit": 5, "member": stranger.public_id})
        assert answer.status_code == 404
        assert Budget.objects.count() == 0

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"monthly_limit": -1},
            {"monthly_limit": 10**15 + 1},
            {"monthly_limit": 1, "action": "hope"},
            {"monthly_limit": 1, "thresholds": [0]},
            {"monthly_limit": 1, "thresholds": [101]},
            {"monthly_limit": 1, "thresholds": list(range(1, 12))},
        ],
    )
    def test_is_refused_with_terms_that_cannot_be(self, client, body):
        assert post(client, API, body).status_code == 400
        assert Budget.objects.count() == 0


class TestChange:
    def test_leaves_what_is_not_named(self, client):
        made = make(client, thresholds=[60])

        changed = patch(client, made["id"], monthly_limit=7, action="notify").json()

        assert changed == {**made, "monthly_limit": 7, "remaining": 7, "action": "notify"}

    def test_switches_off_and_on(self, client, wallet):
        made = make(client, monthly_limit=5)
        assert patch(client, made["id"], is_active=False).json()["is_active"] is False
        charge(wallet, 6)
        assert patch(client, made["id"], is_active=True).json()["used"] == 6

    def test_by_delete_switches_off_and_twice_is_once(self, client):
        made = make(client)

        assert client.delete(f"{API}/{made['id']}").status_code == 204
        assert client.delete(f"{API}/{made['id']}").status_code == 204
        assert client.get(f"{API}/{made['id']}").json()["is_active"] is False
        actions = AuditLog.objects.filter(object_id=made["id"]).values_list("action", flat=True)
        assert sorted(actions) == ["budget.create", "budget.update"]

    def test_back_on_is_refused_beside_another(self, client):
        made = make(client)
        client.delete(f"{API}/{made['id']}")
        make(client)

        assert problem_of(patch(client, made["id"], is_active=True), 409)["code"] == "budget_exists"


class TestRead:
    def test_lists_and_filters(self, client, organization):
        off, on = make(client), None
        client.delete(f"{API}/{off['id']}")
        on = make(client)

        def listed(query=""):
            return [one["id"] for one in client.get(f"{API}{query}").json()["data"]]

        assert listed() == [on["id"], off["id"]]
        assert listed("?is_active=true") == [on["id"]]
        assert listed("?is_active=false") == [off["id"]]
        assert client.get(f"{API}?colour=red").status_code == 400

    def test_pages(self, client, organization):
        for _ in range(3):
            make(client, member=make_member(organization, "member").public_id)
        first = client.get(f"{API}?limit=2").json()
        second = client.get(f"{API}?limit=2&cursor={first['next_cursor']}").json()

        assert (len(first["data"]), first["has_more"]) == (2, True)
        assert (len(second["data"]), second["has_more"]) == (1, False)

    def test_costs_as_much_for_many(self, client, organization):
        def cost():
            with CaptureQueriesContext(connection) as seen:
                client.get(API)
            return len(seen)

        make(client, member=make_member(organization, "member").public_id)
        before = cost()
        for _ in range(4):
            make(client, member=make_member(organization, "member").public_id)
        assert cost() == before

    def test_tells_months_and_alerts(self, client, wallet):
        made = make(client)
        charge(wallet, 55)
        send("budgets")

        months = client.get(f"{API}/{made['id']}/months").json()["data"]
        alerts = client.get(f"{API}/{made['id']}/alerts").json()["data"]
        assert [(one["used"], one["monthly_limit"]) for one in months] == [(55, 100)]
        assert [(one["percent"], one["status"], one["is_test"]) for one in alerts] == [
            (50, "sent", False)
        ]


class TestTheTest:
    def test_sends_a_mail_once_for_a_key(self, client):
        made, key = make(client), str(uuid4())
        first = post(client, f"{API}/{made['id']}/test", key=key)
        again = post(client, f"{API}/{made['id']}/test", key=key)
        send("budgets")

        assert first.status_code == 201
        assert (first.json()["status"], first.json()["is_test"]) == ("waiting", True)
        assert again.json() == first.json()
        assert len(mail.outbox) == 1

    def test_is_refused_within_a_minute(self, client):
        made = make(client)
        post(client, f"{API}/{made['id']}/test")

        problem = problem_of(post(client, f"{API}/{made['id']}/test"), 409)
        assert problem["code"] == "budget_test_too_soon"
        assert BudgetAlert.objects.count() == 1


class TestWhoMay:
    @pytest.mark.parametrize(
        ("role", "may_see", "may_change"),
        [
            ("owner", True, True),
            ("admin", True, True),
            ("billing manager", True, True),
            ("developer", True, False),
            ("read-only", True, False),
            ("partner manager", True, False),
            ("member", False, False),
        ],
    )
    def test_is_told_by_the_role(self, organization, wallet, role, may_see, may_change):
        budget = create_budget(wallet=wallet, monthly_limit=100)
        person = signed_in(make_member(organization, role))
        see = {True: 200, False: 403}[may_see]
        change = {True: 200, False: 403}[may_change]
        one = f"{API}/{budget.public_id}"

        assert person.get(API).status_code == see
        for address in (one, f"{one}/months", f"{one}/alerts"):
            assert person.get(address).status_code == see
        assert patch(person, budget.public_id, monthly_limit=5).status_code == change
        assert post(person, f"{one}/test").status_code == (201 if may_change else 403)
        assert person.delete(one).status_code == (204 if may_change else 403)
        made = post(person, API, {"monthly_limit": 5})
        assert made.status_code == (201 if may_change else 403)

    def test_is_told_by_the_scope(self, organization, wallet):
        budget = create_budget(wallet=wallet, monthly_limit=100)
        client = by_key(organization, "owner", "credits:read", "credits:write")

        assert client.get(API).status_code == 200
        assert patch(client, budget.public_id, monthly_limit=5).status_code == 403
        assert client.delete(f"{API}/{budget.public_id}").status_code == 403

    def test_does_not_see_those_of_others(self, client):
        other = create_budget(
            wallet=selectors.main_wallet(make_organization()), monthly_limit=100
        ).public_id

        assert client.get(API).json()["data"] == []
        assert client.get(f"{API}/{other}").status_code == 404
        assert patch(client, other, monthly_limit=5).status_code == 404
        assert client.delete(f"{API}/{other}").status_code == 404
        for part in ("months", "alerts"):
            assert client.get(f"{API}/{other}/{part}").status_code == 404
        assert post(client, f"{API}/{other}/test").status_code == 404
        assert Budget.objects.get().monthly_limit == 100

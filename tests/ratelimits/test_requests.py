"""Rate limits of requests: who is counted, what is told, and what happens without Redis."""

from types import SimpleNamespace

import pytest
from django.core.cache.backends import base, locmem
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from apps.billing.models import OrganizationSubscription, PlanVersion, SubscriptionPlan
from apps.core.models import IdempotencyKey, RateLimitCount
from apps.core.ratelimits import limiter, policies, windows
from apps.credits.selectors import coverage, main_wallet
from apps.credits.selectors.coverage import Coverage
from apps.jobs.selectors import rate_limits
from apps.tenants.models import Organization
from tests.people import make_key, make_organization, make_person, signed_in, with_key
from tests.problem_documents import problem_of
from tests.ratelimits.limiting import NOWHERE, only, parsed, remaining

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limited")]
BALANCE, SPEND, CHECK = ("/api/v1/credits/" + name for name in ("balance", "spend", "check"))
SCOPES = ("credits:read", "credits:write")


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def key(organization, owner) -> Client:
    return with_key(make_key(organization, owner, *SCOPES)[1])


def spend(client: Client, key: str, amount: int = 1):
    return client.post(
        SPEND,
        {"amount": amount},
        content_type="application/json",
        headers={"Idempotency-Key": key},
    )


class TestAnAnswer:
    def test_tells_the_policy_and_what_is_left(self, key):
        only({"limit": 5, "seconds": 90})
        answer = key.get(BALANCE)

        assert answer.status_code == 200
        assert parsed(answer.headers["RateLimit-Policy"]) == ("test-0", {"q": 5, "w": 90})
        name, told = parsed(answer.headers["RateLimit"])
        assert (name, told.keys(), told["r"]) == ("test-0", {"r", "t"}, 4)
        assert 1 <= told["t"] <= 90
        assert "Retry-After" not in answer.headers
        assert not [header for header in answer.headers if header.startswith("X-RateLimit")]

    def test_refuses_beyond_the_limit_and_says_when_to_come_again(self, key):
        only({"limit": 2})
        assert [key.get(BALANCE).status_code for _ in range(2)] == [200, 200]
        refused = key.get(BALANCE)

        problem = problem_of(refused, 429, "rate_limited")
        name, told = parsed(refused.headers["RateLimit"])
        assert (name, told["r"]) == ("test-0", 0)
        assert refused.headers["Retry-After"] == str(told["t"])
        assert (problem["policy"], problem["limit"]) == ("test-0", 2)
        assert problem["retry_after"] == told["t"]
        assert problem["title"] == "Too many requests"

    def test_has_no_such_fields_where_nothing_limits(self, key):
        only({"limit": 1, "is_active": False})

        assert [remaining(key.get(BALANCE)) for _ in range(2)] == [None, None]

    def test_is_never_a_refusal_where_limits_are_off(self, key, settings):
        settings.RATE_LIMITS = False
        only({"limit": 1})

        assert [key.get(BALANCE).status_code for _ in range(3)] == [200] * 3

    def test_costs_one_trip_to_redis_and_no_query(self, key, settings, monkeypatch):
        only({"limit": 90}, {"limit": 80, "subject": "organization", "plan": "pro"})
        key.get(BALANCE)  # from here on the policies, the plan and the script are known
        trips, send = [], Redis.execute_command
        monkeypatch.setattr(
            Redis,
            "execute_command",
            lambda self, *words, **options: trips.append(words[0]) or send(self, *words, **options),
        )
        with CaptureQueriesContext(connection) as limited:
            assert remaining(key.get(BALANCE)) == 88
        assert trips == ["EVALSHA"]

        settings.RATE_LIMITS = False
        with CaptureQueriesContext(connection) as unlimited:
            key.get(BALANCE)
        assert len(limited) == len(unlimited)

    def test_of_a_problem_page_explains_it(self):
        page = Client().get("/problems/rate-limited").content.decode()

        assert "retry_after" in page
        assert "policy" in page

    def test_is_in_the_schema_of_every_operation(self):
        schema = Client().get("/api/schema/?format=json").json()
        answers = [
            operation["responses"]
            for methods in schema["paths"].values()
            for operation in methods.values()
            if isinstance(operation, dict) and "responses" in operation
        ]

        assert len(answers) > 50
        for answer in answers:
            assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= answer["429"][
                "headers"
            ].keys()


class TestARefusal:
    def test_leaves_nothing_half_done(self, key, organization):
        only({"limit": 1, "requests": "money"})
        assert spend(key, "first").status_code == 201
        before = main_wallet(organization).balance
        problem_of(spend(key, "second"), 429, "rate_limited")

        assert main_wallet(organization).balance == before
        assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["first"]

    def test_comes_before_the_deed_in_no_organization_as_well(self, owner):
        only({"limit": 1, "subject": "user"})
        browser = signed_in(owner)
        browser.get("/api/v1/organizations")
        made = browser.post(
            "/api/v1/organizations", {"name": "Second"}, content_type="application/json"
        )

        problem_of(made, 429, "rate_limited")
        assert not Organization.objects.filter(name="Second").exists()

    def test_takes_nothing_of_other_policies(self, key, organization, owner):
        only({"limit": 1}, {"limit": 9, "subject": "organization"})
        other = with_key(make_key(organization, owner, *SCOPES)[1])
        key.get(BALANCE)
        for _ in range(5):
            problem_of(key.get(BALANCE), 429)

        only({"limit": 9, "code": "unlike"}, {"limit": 9, "subject": "organization"})
        assert parsed(other.get(BALANCE).headers["RateLimit"])[1]["r"] == 7  # of the organization

    def test_counts_what_is_repeated_with_a_key_as_well(self, key):
        only({"limit": 3, "requests": "money"})
        told = [remaining(spend(key, "same")) for _ in range(2)]

        assert told == [2, 1]


class TestWhoIsCounted:
    def test_is_each_key_by_itself(self, key, organization, owner):
        only({"limit": 1})
        other = with_key(make_key(organization, owner, *SCOPES)[1])

        assert [one.get(BALANCE).status_code for one in (key, other, key)] == [200, 200, 429]

    def test_is_a_person_and_not_his_keys(self, key, owner):
        only({"limit": 1, "subject": "user"})
        browser = signed_in(owner)

        assert [key.get(BALANCE).status_code for _ in range(2)] == [200, 200]
        assert [browser.get(BALANCE).status_code for _ in range(2)] == [200, 429]

    def test_is_an_organization_with_its_keys_and_people(self, key, owner):
        only({"limit": 2, "subject": "organization"})

        assert [one.get(BALANCE).status_code for one in (key, signed_in(owner), key)] == [
            200,
            200,
            429,
        ]

    def test_is_an_address_whoever_asks_from_there(self, key, owner):
        only({"limit": 2, "subject": "ip"})
        elsewhere = {"REMOTE_ADDR": "192.0.2.9"}

        assert key.get(BALANCE).status_code == 200
        assert signed_in(owner).get("/api/v1/organizations").status_code == 200
        assert key.get(BALANCE).status_code == 429
        assert key.get(BALANCE, **elsewhere).status_code == 200

    def test_is_the_network_of_an_address_of_the_new_kind(self, key):
        only({"limit": 1, "subject": "ip"})
        asked = [key.get(BALANCE, REMOTE_ADDR=one) for one in ("2001:db8::1", "2001:db8::2")]

        assert [one.status_code for one in asked] == [200, 429]
        assert key.get(BALANCE, REMOTE_ADDR="2001:db8:0:1::1").status_code == 200

    def test_is_who_guesses_keys_by_his_address(self, organization):
        only({"limit": 3, "subject": "ip"})
        guesser = with_key("cof_test_guessed")
        asked = [guesser.get(BALANCE) for _ in range(4)]

        assert [one.status_code for one in asked] == [401, 401, 401, 429]
        assert remaining(asked[0]) == 2
        problem_of(asked[3], 429, "rate_limited")
        assert asked[3].headers["Retry-After"]

    def test_is_nobody_twice(self, owner, organization):
        only({"limit": 9, "subject": "user"})
        browser = signed_in(owner)

        assert remaining(browser.get("/api/v1/organizations")) == 8
        answer = browser.post("/api/v1/organizations", {}, content_type="application/json")
        assert (answer.status_code, remaining(answer)) == (400, 7)
        assert remaining(browser.get("/api/v1/staff/config")) == 6  # for staff alone


class TestWhichRequests:
    def test_are_counted_by_what_they_do(self, key):
        only(
            {"code": "test-read", "limit": 9, "requests": "read"},
            {"code": "test-write", "limit": 8, "requests": "write"},
            {"code": "test-money", "limit": 7, "requests": "money"},
        )
        names = [
            parsed(answer.headers["RateLimit"])[0]
            for answer in (
                key.get(BALANCE),
                key.post(CHECK, {"amount": 1}, content_type="application/json"),
                spend(key, "one"),
            )
        ]

        assert names == ["test-read", "test-write", "test-money"]

    def test_are_those_that_ask_for_a_permission(self, key):
        only({"limit": 1, "requests": "credits.charge"})

        assert [spend(key, one).status_code for one in ("one", "two")] == [201, 429]
        assert remaining(key.get(BALANCE)) is None

    def test_are_changes_on_pages_by_person(self, owner, organization):
        only({"limit": 1, "subject": "user", "requests": "organization.update"})
        browser, page = signed_in(owner), f"/o/{organization.slug}/settings/"
        before = organization.name
        browser.post(page, {})
        refused = browser.post(page, {"name": "Other", "slug": organization.slug})

        assert refused.status_code == 429
        assert "Too many requests" in refused.content.decode()
        assert int(refused.headers["Retry-After"]) > 0
        organization.refresh_from_db()
        assert organization.name == before
        assert browser.get(page).status_code == 200

    def test_are_not_those_of_people_who_are_not_signed_in(self):
        only({"limit": 1, "subject": "ip"})
        asked = [Client().post(reverse("account_login"), {}) for _ in range(3)]

        assert {one.status_code for one in asked} == {200}


class TestAPlan:
    PLANS = (
        {"code": "test-all", "limit": 1, "subject": "organization"},
        {"code": "test-pro", "limit": 3, "subject": "organization", "plan": "pro"},
    )

    @pytest.fixture
    def plan(self, monkeypatch):
        has = {"plan": ""}
        monkeypatch.setattr(coverage, "_providers", [lambda _: Coverage(plan=has["plan"])])
        return has

    def test_has_a_limit_of_its_own(self, key, plan):
        only(*self.PLANS)
        assert [key.get(BALANCE).status_code for _ in range(2)] == [200, 429]

        plan["plan"] = "pro"
        policies.kept.clear()  # as after some seconds
        assert [key.get(BALANCE).status_code for _ in range(4)] == [200, 200, 200, 429]

        plan["plan"] = "free"  # has none of its own, so that of all counts, with what it had
        policies.kept.clear()
        assert key.get(BALANCE).status_code == 429

    def test_is_asked_for_again_after_some_seconds(self, plan, monkeypatch, organization):
        clock = SimpleNamespace(time=lambda: now)
        for module in (base, locmem):  # of the cache
            monkeypatch.setattr(module, "time", clock)
        monkeypatch.setattr(policies.kept, "default_timeout", policies.KEEP_SECONDS)
        now = 1000.0
        assert policies.plan_of(organization) == ""

        plan["plan"] = "pro"
        now += policies.KEEP_SECONDS - 1
        assert policies.plan_of(organization) == ""
        now += 2
        assert policies.plan_of(organization) == "pro"

    def test_is_told_by_billing_while_it_works(self, organization):
        plan = SubscriptionPlan.objects.create(code="pro", name="Pro")
        version = PlanVersion.objects.create(
            plan=plan, number=1, price=0, currency="eur", interval="month"
        )
        row = OrganizationSubscription(organization=organization, version=version)
        row.status = OrganizationSubscription.Status.ACTIVE
        row.save()
        assert coverage.plan_of(organization) == "pro"

        row.status, row.ended_at = OrganizationSubscription.Status.CANCELLED, timezone.now()
        row.save()
        assert coverage.plan_of(organization) == ""


class TestWithoutRedis:
    @pytest.fixture(autouse=True)
    def _gone(self, settings):
        self.address = settings.REDIS_URL
        settings.REDIS_URL = NOWHERE
        only({"limit": 2}, {"limit": 9, "subject": "organization", "requests": "money"})

    def test_reads_and_small_changes_pass(self, key):
        asked = [key.get(BALANCE) for _ in range(4)]
        checked = key.post(CHECK, {"amount": 1}, content_type="application/json")

        assert {one.status_code for one in [*asked, checked]} == {200}
        assert remaining(asked[0]) is None
        assert not RateLimitCount.objects.exists()

    def test_money_is_counted_and_refused(self, key, organization):
        asked = [spend(key, f"key-{number}") for number in range(3)]

        assert [one.status_code for one in asked] == [201, 201, 429]
        assert [remaining(one) for one in asked] == [1, 0, 0]
        assert problem_of(asked[2], 429, "rate_limited")["policy"] == "test-0"
        assert IdempotencyKey.objects.count() == 2
        assert dict(RateLimitCount.objects.values_list("policy", "used")) == {
            "test-0": 2,
            "test-1": 2,
        }

    def test_money_on_a_page_is_counted_and_other_changes_pass(self, owner, organization):
        only({"limit": 1, "subject": "user", "requests": "write"})
        browser = signed_in(owner)

        def change(page: str) -> int:
            return browser.post(f"/o/{organization.slug}/{page}/", {}).status_code

        assert [change("jobs/new") == 429 for _ in range(2)] == [False, True]
        assert {change("settings") == 429 for _ in range(3)} == {False}
        assert list(RateLimitCount.objects.values_list("used", flat=True)) == [1]

    def test_money_goes_on_as_before_once_it_is_back(self, key, settings):
        spend(key, "one")
        settings.REDIS_URL = self.address

        assert remaining(spend(key, "two")) == 1  # Redis has not heard of the first
        assert RateLimitCount.objects.filter(used=1).count() == 2


class TestTheShipped:
    def test_policies_are_far_above_what_people_need(self):
        shipped = {policy.code: policy for policy in rate_limits()}

        assert shipped.keys() == {
            *("address", "person", "person-changes"),
            *("key", "key-money", "organization-money"),
        }
        assert all(policy.limit / policy.seconds >= 5 for policy in shipped.values())

    def test_switch_leaves_no_request_uncounted(self, key):
        policies.kept.clear()
        assert remaining(spend(key, "one")) == 599


def test_the_limiter_says_what_is_counted_without_redis(settings):
    settings.REDIS_URL = NOWHERE
    only({"limit": 2})
    (policy,) = policies.active_policies()

    seen, is_from_redis = limiter.look([policies.Hit(policy, "key_1")])
    assert (seen[0].used, is_from_redis) == (0, False)
    assert windows.store() is windows.store()

"""The subscription's API and pages."""

import json
from datetime import timedelta

import pytest

from apps.billing.models import OrganizationSubscription, Payment, SubscriptionChange
from tests.billing.subscribing import START, Life, again, make_plan
from tests.billing.test_subscription_life import FEBRUARY, HOUR
from tests.people import make_key, make_member, make_organization, signed_in, with_key

pytestmark = pytest.mark.django_db(transaction=True)
HALF = START + timedelta(days=14)


@pytest.fixture(autouse=True)
def movable(settings):
    settings.MOVABLE_CLOCK = True


@pytest.fixture
def life(stripe):
    return Life(stripe)


@pytest.fixture
def small(stripe):
    return make_plan(stripe, name="Small", features={"unlimited_operations": ["compute"]})


@pytest.fixture
def large(stripe, small):
    return make_plan(stripe, name="Large", price=9900, included_credits=2000)


@pytest.fixture
def owner(life):
    return make_member(life.organization, "owner")


@pytest.fixture
def api(life, owner):
    """Call the API with a key of the owner's, at the moment of the customer's clock."""
    _, token = make_key(life.organization, owner, "billing:read", "billing:write")
    client = with_key(token)

    def call(path="", key="", **body):
        with life.here():
            if not key:
                return client.get(f"/api/v1/subscription{path}")
            return client.post(
                f"/api/v1/subscription{path}",
                json.dumps(body),
                content_type="application/json",
                headers={"Idempotency-Key": key},
            )

    return call


class TestTheApi:
    def test_subscribes_changes_and_cancels(self, life, api, small, large):
        assert api().json()["subscription"] is None
        begun = api("", "k1", plan=small.plan.code)
        assert begun.status_code == 201
        assert begun.json()["subscription"]["status"] == "incomplete"
        row = OrganizationSubscription.objects.get()
        assert api("", "k1", plan=small.plan.code).json() == begun.json()
        assert api("", "k2", plan=small.plan.code).json() == begun.json()  # the same page
        life.press(row)
        life.tell()

        state = api().json()
        assert state["subscription"]["status"] == "active"
        assert state["unlimited_operations"] == ["compute"]
        life.move(HALF)
        shown = api("/preview", "any", plan=large.plan.code).json()
        assert (shown["takes_effect"], shown["charge"]) == ("now", 3500)
        body = {"plan": large.plan.code, "moment": shown["moment"]}
        changed = api("/change", "k3", **body)
        assert changed.status_code == 201
        assert changed.json()["subscription"]["plan"] == large.plan.code
        assert api("/change", "k3", **body).status_code == 201
        assert SubscriptionChange.objects.count() == 1
        assert Payment.objects.filter(status="succeeded").count() == 2
        assert api("/cancel", "k4", reason="enough").json()["subscription"]["cancel_reason"]
        assert not api("/undo", "k5").json()["subscription"]["cancel_at_period_end"]
        assert api("/pause", "k6").json()["subscription"]["status"] == "paused"
        assert api("/resume", "k7").json()["subscription"]["status"] == "active"

    def test_refuses_clearly(self, life, api, small, large, stripe):
        missing = api("/change", "k1", plan=small.plan.code)
        assert (missing.status_code, missing.json()["code"]) == (409, "not_subscribed")
        assert api("", "k2", plan="nothing").json()["code"] == "plan_not_offered"
        refused = api("", "k3", plan=small.plan.code, quantity=2)
        assert (refused.status_code, refused.json()["code"]) == (422, "quantity_not_offered")
        life.subscribe(small)
        assert api("", "k4", plan=large.plan.code).json()["code"] == "already_subscribed"
        assert api("/resume", "k5").json()["code"] == "change_not_possible"
        assert SubscriptionChange.objects.count() == 0

    def test_needs_a_key_for_whatever_changes_something(self, life, owner, small):
        _, token = make_key(life.organization, owner, "billing:read", "billing:write")
        for path in ("", "/change", "/cancel", "/undo", "/pause", "/resume"):
            answer = with_key(token).post(
                f"/api/v1/subscription{path}",
                json.dumps({"plan": small.plan.code}),
                content_type="application/json",
            )
            assert answer.status_code == 400, path
        assert OrganizationSubscription.objects.count() == 0

    def test_makes_way_for_another_choice_that_is_not_paid_yet(self, life, api, small, large):
        api("", "k1", plan=small.plan.code)
        first = OrganizationSubscription.objects.get()
        second = api("", "k2", plan=large.plan.code).json()["subscription"]
        assert second["plan"] == large.plan.code
        assert again(first).status == "expired"
        life.press(first)
        life.tell()
        assert again(first).status == "expired"
        assert OrganizationSubscription.objects.filter(status="incomplete").count() == 1

    def test_makes_no_way_for_a_request_without_a_key_or_a_repeat(
        self, life, api, owner, small, large
    ):
        api("", "k1", plan=small.plan.code)
        api("", "k2", plan=large.plan.code)
        waiting = OrganizationSubscription.objects.get(status="incomplete")

        _, token = make_key(life.organization, owner, "billing:write")
        keyless = with_key(token).post(
            "/api/v1/subscription", {"plan": small.plan.code}, content_type="application/json"
        )
        reused = api("", "k2", plan=small.plan.code)
        repeated = api("", "k1", plan=small.plan.code)

        assert (keyless.status_code, reused.status_code) == (400, 422)
        assert repeated.json()["subscription"]["plan"] == large.plan.code
        assert again(waiting).status == "incomplete"

    def test_shows_one_organization_nothing_of_another(self, life, small):
        life.subscribe(small)
        other = make_organization()
        _, token = make_key(other, make_member(other, "owner"), "billing:read")
        assert with_key(token).get("/api/v1/subscription").json()["subscription"] is None


class TestThePages:
    @pytest.fixture(autouse=True)
    def everybody(self, owner):
        self.owner = owner  # is there before the plan limits the seats

    def page(self, life, path="", person=None, **form):
        client = signed_in(person or self.owner)
        with life.here():
            url = f"/o/{life.organization.slug}/billing/subscription/{path}"
            return client.post(url, form) if form else client.get(url)

    def test_tell_how_it_stands(self, life, small, large):
        assert "No plan yet" in self.page(life).content.decode()
        begun = self.page(life, "begin/", plan=small.plan.code)
        row = OrganizationSubscription.objects.get()
        assert (begun.status_code, begun.url) == (302, row.pay_url)
        assert "not paid yet" in self.page(life).content.decode()
        life.press(row)
        life.tell()
        text = self.page(life).content.decode()
        assert "Active" in text
        assert "€29.00" in text

        life.move(HALF)
        shown = self.page(life, f"change/?plan={large.plan.code}").content.decode()
        assert "€35.00" in shown
        moment = shown.split('name="moment" value="')[1].split('"')[0]
        self.page(life, "change/", plan=large.plan.code, quantity=1, moment=moment)
        assert again(row).version == large
        assert "What happens" in self.page(life, "cancel/").content.decode()
        self.page(life, "cancel/", reason="enough")
        assert "The plan ends on" in self.page(life).content.decode()
        self.page(life, "ask/", kind="undo")
        self.page(life, "ask/", kind="pause")
        assert "is paused" in self.page(life).content.decode()
        self.page(life, "ask/", kind="resume")
        assert "Active" in self.page(life).content.decode()

    def test_say_why_not(self, life, small):
        client = signed_in(self.owner)
        base = f"/o/{life.organization.slug}/billing/subscription/"
        assert client.post(f"{base}begin/", {"plan": "nothing"}).status_code == 409
        too_many = client.post(f"{base}begin/", {"plan": small.plan.code, "quantity": 100_001})
        assert "between 1 and 100,000 units" in too_many.content.decode()
        assert client.post(f"{base}ask/", {"kind": "now"}).status_code == 404
        assert (
            client.post(f"{base}change/", {"plan": small.plan.code, "moment": "x"}).status_code
            == 409
        )
        answer = client.post(f"{base}ask/", {"kind": "undo"}, follow=True)
        assert "has no subscription" in answer.content.decode()
        assert client.get(f"{base}cancel/").status_code == 409

    def test_show_changes_to_those_who_may(self, life, small):
        life.subscribe(small)
        reader = make_member(life.organization, "read-only")
        text = self.page(life, person=reader).content.decode()
        assert "Cancel the plan" not in text
        assert self.page(life, "cancel/", person=reader).status_code == 403
        assert self.page(life, "ask/", person=reader, kind="pause").status_code == 403
        stranger = make_member(make_organization(), "owner")
        assert self.page(life, person=stranger).status_code == 404

    def test_warn_of_a_failed_payment(self, life, small):
        from tests.billing.test_subscription_life import decline_from_now_on

        life.subscribe(small)
        decline_from_now_on(life)
        life.move(FEBRUARY + HOUR)
        assert "The payment for Small failed." in self.page(life).content.decode()

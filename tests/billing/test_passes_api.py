"""Passes by API and on pages: shown, bought once, and why not."""

import json

import pytest

from apps.billing.models import OrganizationSubscription, Payment
from tests.billing.buying import press, text_of
from tests.billing.passing import WEEK, buy, make_pass
from tests.billing.subscribing import START, make_plan
from tests.billing.test_subscription_life import life, movable
from tests.people import make_key, make_member, make_organization, signed_in, with_key

__all__ = ["life", "movable"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def week():
    return make_pass()


@pytest.fixture
def owner(life):
    return make_member(life.organization, "owner")


@pytest.fixture
def api(life, owner):
    _, token = make_key(life.organization, owner, "billing:read", "billing:write")

    def call(path="", key="k", **body):
        with life.here():
            return with_key(token).post(
                f"/api/v1/passes{path}",
                json.dumps(body),
                content_type="application/json",
                headers={"Idempotency-Key": key} if key else {},
            )

    return call


class TestTheApi:
    def test_shows_and_sells_a_pass_once(self, life, api, week):
        shown = api("/preview", plan="pass-7-days")
        assert shown.status_code == 200
        assert shown.json() == {
            "object": "pass_preview",
            "plan": "pass-7-days",
            "amount": 900,
            "currency": "eur",
            "credits": 150,
            "begins_at": "2027-01-31T12:00:00Z",
            "ends_at": "2027-02-07T12:00:00Z",
            "next_plan": None,
        }
        bought = api(plan="pass-7-days", amount=900)
        assert bought.status_code == 201
        assert (bought.json()["purpose"], bought.json()["plan"]) == ("pass", "pass-7-days")
        assert api(plan="pass-7-days", amount=900).json()["id"] == bought.json()["id"]
        assert Payment.objects.count() == 1
        press(Payment.objects.get())
        life.tell()
        assert OrganizationSubscription.objects.get().current_period_end == START + WEEK

    def test_refuses_clearly(self, life, api, week, stripe):
        assert api(key="", plan="pass-7-days").status_code == 400
        assert api("/preview", plan="nothing").json()["code"] == "plan_not_offered"
        assert api(plan="pass-7-days", amount=1, key="a").json()["code"] == "price_changed"
        life.subscribe(make_plan(stripe))
        for path in ("", "/preview"):
            refused = api(path, plan="pass-7-days", key=f"k{path}")
            assert (refused.status_code, refused.json()["code"]) == (409, "plan_time_refused")
        assert Payment.objects.filter(purpose="pass").count() == 0

    def test_says_that_it_ends(self, life, owner, week):
        buy(life, week)
        _, token = make_key(life.organization, owner, "billing:read")
        state = with_key(token).get("/api/v1/subscription").json()
        assert state["subscription"]["is_limited"]
        assert state["waiting"] is None


class TestThePages:
    def open(self, life, person, place="plans/pass/?plan=pass-7-days", **form):
        url = f"/o/{life.organization.slug}/billing/{place}"
        with life.here():
            client = signed_in(person)
            return client.post(url, form) if form else client.get(url)

    def form(self, week, **more):
        fields = {"plan": week.plan.code, "version": week.public_id, "amount": "900"}
        return fields | {"idempotency_key": "one"} | more

    def test_show_it_sell_it_once_and_say_when_it_ends(self, life, owner, week, stripe):
        life.begin(make_plan(stripe, price=0, name="For nothing"))
        assert "Buy the pass" in text_of(self.open(life, owner, "plans/"))
        page = text_of(self.open(life, owner))
        for said in ("€9.00", "150", "For nothing", "7 Feb 2027"):
            assert said in page
        answers = [self.open(life, owner, "plans/pass/", **self.form(week)) for _ in range(2)]
        payment = Payment.objects.get()
        assert {one.url for one in answers} == {payment.pay_url}

        press(payment)
        life.tell()

        page = text_of(self.open(life, owner, "subscription/"))
        assert "Pass-7-days ends on 7 February 2027. After it you have For nothing again." in page
        assert "150 of 150 left" in page
        assert "Cancel the plan" not in page
        assert "Add 7 days" in text_of(self.open(life, owner, "plans/"))

    def test_say_why_not(self, life, owner, week, stripe):
        assert self.open(life, owner, "plans/pass/?plan=nothing").status_code == 409
        changed = self.open(life, owner, "plans/pass/", **self.form(week, amount="800"))
        assert changed.status_code == 409
        assert "have changed" in text_of(changed)
        assert self.open(life, owner, "plans/pass/", plan="pass-7-days").status_code == 422
        life.subscribe(make_plan(stripe))
        page = text_of(self.open(life, owner))
        assert "renews by itself" in page
        assert "Pay €9.00" not in page
        assert "when that has ended" in text_of(self.open(life, owner, "plans/"))

    def test_need_the_permission_to_buy(self, life, week):
        member = make_member(life.organization, "member")
        assert self.open(life, member).status_code == 403
        stranger = make_member(make_organization(), "owner")
        assert self.open(life, stranger).status_code == 404

    def test_are_off_without_a_key(self, life, owner, week, settings):
        settings.STRIPE_SECRET_KEY = ""
        page = text_of(self.open(life, owner))
        assert "Billing is not configured" in page
        assert "Pay €9.00" not in page

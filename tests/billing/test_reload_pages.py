"""Automatic reload on its page and by API."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone

from apps.billing.models import AutoReload, Payment
from apps.billing.selectors.reload_simulation import simulate
from apps.billing.selectors.reloads import reload_terms
from apps.billing.services import reload_mails
from apps.core import clock
from apps.core.mail import send_due
from tests.billing.buying import balance, press, set_value, text_of
from tests.billing.reloading import agree, attempt, later, now_is, ready, spend, with_card
from tests.people import make_key, make_member, make_organization, signed_in, with_key

pytestmark = pytest.mark.django_db(transaction=True)
FORM = {
    "is_enabled": "on",
    "threshold": "500",
    "mode": "fixed",
    "amount": "1000",
    "monthly_cap": "100.00",
    "has_agreed": "on",
}
ASKING = "pm_card_authenticationRequired"


@pytest.fixture
def client(organization):
    return signed_in(make_member(organization, "owner"))


@pytest.fixture
def page(organization):
    return f"/o/{organization.slug}/billing/auto-reload/"


class TestThePage:
    def test_proposes_and_is_off(self, stripe, client, page):
        text = text_of(client.get(page))
        assert "When the balance falls below 200 credits, we charge the saved card €20.00" in text
        assert "This would charge now" in text
        assert "Save a card first" in text
        assert not AutoReload.objects.exists()

    def test_turns_it_on_with_an_agreement(self, stripe, client, page, organization):
        with_card(stripe, organization)
        answer = client.post(page, FORM)
        assert answer.status_code == 302
        reload = AutoReload.objects.get()
        assert reload.is_enabled
        assert reload.monthly_cap == 10_000
        assert "we charge Visa •••• 4242" in reload.consent_text
        assert "at most €100.00 a month" in reload.consent_text
        text = text_of(client.get(page))
        assert "Due now" in text
        assert reload.consent_text in text

    def test_refuses_without_one_and_tells_the_words(self, stripe, client, page, organization):
        with_card(stripe, organization)
        answer = client.post(page, {**FORM, "has_agreed": ""})
        assert answer.status_code == 422
        assert "Agree to this first: When the balance falls below 500" in text_of(answer)
        assert not AutoReload.objects.exists()

    def test_refuses_without_a_card(self, stripe, client, page):
        answer = client.post(page, FORM)
        assert answer.status_code == 409
        assert "Save a card first" in text_of(answer)

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"amount": "20"}, "greater than or equal to 500"),
            ({"threshold": "0"}, "greater than or equal to 1"),
            ({"mode": "up_to", "threshold": "1000"}, "Set an amount above the threshold"),
            ({"monthly_cap": "19.99"}, "One reload costs €20.00"),
        ],
    )
    def test_refuses_what_cannot_be(self, stripe, client, page, organization, change, text):
        with_card(stripe, organization)
        answer = client.post(page, FORM | change)
        assert answer.status_code == 422
        assert text in text_of(answer)

    def test_turns_it_off_without_asking(self, stripe, client, page, organization):
        reload = ready(stripe, organization)
        client.post(page, {**FORM, "is_enabled": "", "has_agreed": ""})
        assert not now_is(reload).is_enabled
        assert attempt(organization) is None

    def test_is_not_offered_where_a_tax_would_be_missing(self, stripe, client, page):
        set_value("billing.automatic_tax", True)
        assert "not offered here" in text_of(client.get(page))
        assert client.post(page, FORM).status_code == 409

    def test_says_the_sentence_while_it_is_filled_in(self, stripe, client, page):
        given = {"threshold": "50", "mode": "up_to", "amount": "3000"}
        text = text_of(client.get(f"{page}sentence/", given))
        assert "below 50 credits" in text
        assert "up to 3,000 credits (at most €60.00)" in text
        assert "This would charge now" not in text
        assert "Fill in the form" in text_of(client.get(f"{page}sentence/", {"amount": "x"}))

    def test_tells_why_it_stopped_and_goes_on_by_the_button(
        self, stripe, client, page, organization
    ):
        reload = ready(stripe, organization)
        AutoReload.objects.update(state="suspended", reason="declined", consecutive_failures=3)
        assert "declined three times in a row" in text_of(client.get(page))
        assert client.post(f"{page}resume/").status_code == 302
        assert now_is(reload).state == "ready"

    def test_leads_to_stripes_page_where_the_bank_asks(self, stripe, client, page, organization):
        reload = ready(stripe, organization, ASKING)
        attempt(organization)
        shown = client.get(page)
        assert "Pay €20.00 and confirm" in text_of(shown)
        pay = shown.context["standing"]["pay"]
        form = {"what": "custom", "idempotency_key": pay["key"]}
        form |= {"credits": pay["credits"], "amount": pay["amount"]}
        answer = client.post(f"/o/{organization.slug}/billing/buy/", form)
        payment = Payment.objects.get(purpose="custom")
        assert answer.url == payment.pay_url
        press(payment)
        stripe.tell()
        assert now_is(reload).state == "ready"

    def test_hints_at_the_largest_use_and_lists_attempts(self, stripe, client, page, organization):
        ready(stripe, organization)
        attempt(organization)
        spend(organization, 123)
        text = text_of(client.get(page))
        assert "were 123 credits" in text
        assert "Paid" in text

    def test_of_another_organization_does_not_exist(self, stripe, page):
        other = signed_in(make_member(make_organization(), "owner"))
        assert other.get(page).status_code == 404
        assert other.post(page, FORM).status_code == 404


class TestTheApi:
    @pytest.fixture
    def api(self, organization):
        person = make_member(organization, "owner")
        _, token = make_key(organization, person, "billing:read", "billing:write")
        return with_key(token)

    def put(self, api, **body):
        body = {"is_enabled": True, "threshold": 500, "amount": 1000, "has_agreed": True} | body
        return api.put("/api/v1/auto-reload", body, content_type="application/json")

    def test_is_not_there_before_it_is_set(self, stripe, api):
        assert api.get("/api/v1/auto-reload").status_code == 404
        assert api.get("/api/v1/auto-reload/simulation").status_code == 404

    def test_sets_and_tells(self, stripe, api, organization):
        with_card(stripe, organization)
        answer = self.put(api)
        assert answer.status_code == 200, answer.content
        assert answer.json() == api.get("/api/v1/auto-reload").json()
        assert answer.json()["card"] == "Visa •••• 4242"
        assert answer.json()["blocked_by"] == ""
        assert answer.json()["monthly_cap"] is None

    def test_refuses_without_an_agreement(self, stripe, api, organization):
        with_card(stripe, organization)
        answer = self.put(api, has_agreed=False)
        assert (answer.status_code, answer.json()["code"]) == (422, "consent_needed")
        assert "€20.00" in answer.json()["text"]

    def test_resumes_once_for_a_key(self, stripe, api, organization):
        reload = ready(stripe, organization)
        key = str(uuid4())
        for _ in range(2):
            AutoReload.objects.update(state="suspended", reason="declined")
            answer = api.post(
                "/api/v1/auto-reload/resume",
                content_type="application/json",
                headers={"Idempotency-Key": key},
            )
            assert answer.status_code == 200
            assert answer.json()["state"] == "ready"
        assert now_is(reload).state == "suspended"  # the second one was a replay
        answer = api.post("/api/v1/auto-reload/resume", content_type="application/json")
        assert answer.status_code == 400

    def test_simulates(self, stripe, api, organization):
        ready(stripe, organization)
        spend(organization, 10)
        found = api.get("/api/v1/auto-reload/simulation").json()
        assert found["amount"] == 2000
        assert len(found["charges"]) == 1


class TestTheSimulation:
    def test_is_what_would_have_happened(self, stripe, organization, settings):
        settings.MOVABLE_CLOCK = True
        now = timezone.now()
        for days in (20, 10, 5):
            with clock.moved_to(now - timedelta(days=days)):
                spend(organization, 10)
        reload = ready(stripe, organization)
        start = balance(organization) + 30
        reload.threshold = start - 5
        found = simulate(organization, reload, reload_terms())
        assert [one.balance for one in found.charges] == [start - 10]
        assert (found.credits, found.amount) == (1000, 2000)
        assert found.lowest == start - 10
        reload.threshold, reload.monthly_cap = start + 5000, 1999
        found = simulate(organization, reload, reload_terms())
        assert found.charges == []
        assert found.refused_by_cap == 3

    def test_keeps_the_floor_and_the_window(self, stripe, organization):
        reload = ready(stripe, organization)
        reload.threshold = 1_000_000
        reload.amount = 500
        for _ in range(5):
            spend(organization)
        terms = reload_terms()
        assert len(simulate(organization, reload, terms).charges) == 1

    def test_does_not_count_real_reloads_twice(self, stripe, organization):
        reload = ready(stripe, organization)
        start = balance(organization)
        spend(organization, 10)
        attempt(organization)
        found = simulate(organization, now_is(reload), reload_terms())
        assert len(found.charges) == 1
        spend(organization, 1)
        assert simulate(organization, now_is(reload), reload_terms()).lowest == start - 10


class TestMails:
    def test_tell_of_each_charge(self, stripe, organization):
        ready(stripe, organization)
        attempt(organization)
        send_due(reload_mails.QUEUE)
        send_due(reload_mails.QUEUE)
        (sent,) = [one for one in mail.outbox if "charged" in one.subject]
        assert "€20.00" in sent.subject
        assert "Visa •••• 4242" in sent.body
        assert "/billing/auto-reload/" in sent.body

    def test_tell_why_it_stopped(self, stripe, organization):
        ready(stripe, organization, "pm_card_chargeCustomerFail")
        for _ in range(3):
            attempt(organization)
            later(hours=7)
        send_due(reload_mails.QUEUE)
        (sent,) = [one for one in mail.outbox if "stopped" in one.subject]
        assert "three times in a row" in sent.body

    def test_tell_that_the_bank_asks(self, stripe, organization):
        ready(stripe, organization, ASKING)
        attempt(organization)
        send_due(reload_mails.QUEUE)
        assert any("asks for a confirmation" in one.subject for one in mail.outbox)

    def test_tell_nothing_of_what_is_over(self, stripe, organization):
        ready(stripe, organization, ASKING)
        attempt(organization)
        with_card(stripe, organization, "pm_card_mastercard")
        mail.outbox.clear()
        send_due(reload_mails.QUEUE)
        assert mail.outbox == []


def test_agreeing_again_is_needed_when_the_price_rises(stripe, organization):
    ready(stripe, organization)
    set_value("billing.custom_price", 3000)
    assert attempt(organization) is None
    agree(organization)
    assert attempt(organization).amount == 3000

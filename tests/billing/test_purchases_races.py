"""Purchases at the same moment: a double click buys once, whoever settles settles once."""

from contextlib import suppress
from uuid import uuid4

import pytest

from apps.billing.errors import StripeRefused, StripeUnavailable
from apps.billing.models import Customer, Payment
from apps.billing.services import checkout, inbox, keyed
from apps.billing.services.customers import ensure_customer
from tests.billing.buying import again, balance, begin, buy, grants, press
from tests.billing.stripe import handle_everything
from tests.people import make_key, make_member, signed_in, with_key
from tests.races.racing import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_broken"),
]
CLICKS = 32


class TestADoubleClick:
    def test_on_the_page_buys_once_and_each_click_leads_there(
        self, stripe, organization, pack, monkeypatch
    ):
        monkeypatch.setattr(keyed, "TRIES", 300)  # 32 clicks take two cores longer than one does
        owner = make_member(organization, "owner")
        form = {
            "version": pack.public_id,
            "amount": pack.price,
            "idempotency_key": str(uuid4()),
        }
        clients = [signed_in(owner) for _ in range(CLICKS)]

        def click(client):
            return client.post(f"/o/{organization.slug}/billing/buy/", form)

        answers = at_once([lambda client=client: click(client) for client in clients])

        payment = Payment.objects.get()
        place = f"/o/{organization.slug}/billing/payments/{payment.public_id}/"
        assert {answer.status_code for answer in answers} == {302}
        assert {answer.url for answer in answers} <= {payment.pay_url, place}
        assert len(stripe.v1.checkout.sessions.list().data) == 1
        assert Customer.objects.count() == 1
        assert len(stripe.v1.customers.list().data) == 1
        checkout.look(payment)
        press(again(payment))
        stripe.tell()
        assert grants(organization).count() == 1

    def test_by_api_buys_once(self, stripe, organization, pack):
        _, token = make_key(organization, make_member(organization, "owner"), "billing:write")
        key = str(uuid4())

        def send():
            return with_key(token).post(
                "/api/v1/purchases",
                {"pack": "starter"},
                content_type="application/json",
                headers={"Idempotency-Key": key},
            )

        answers = at_once([send] * CLICKS)

        assert Payment.objects.count() == 1
        assert {answer.status_code for answer in answers} <= {201, 409, 503}
        assert len(stripe.v1.checkout.sessions.list().data) == 1
        ended = send()
        assert ended.status_code == 201
        assert ended["Idempotent-Replayed"] == "true"
        assert ended.json()["id"] == Payment.objects.get().public_id
        assert ended.json()["pay_url"]

    def test_with_keys_of_their_own_buys_each(self, stripe, organization, pack):
        ensure_customer(organization=organization)  # its race is that of the double click
        payments = at_once([lambda: buy(organization, pack)] * 4)

        assert Payment.objects.count() == 4
        assert len({payment.pay_url for payment in payments}) == 4
        assert len(stripe.v1.customers.list().data) == 1


class TestSettling:
    def test_webhooks_looks_and_the_sweep_together_grant_once(self, stripe, organization, pack):
        payment = buy(organization, pack)
        before = balance(organization)
        press(payment)
        events = stripe.news()

        def webhook():
            for event in events:
                inbox.receive(event, source="webhook")
            handle_everything()

        def look():
            checkout.look(again(payment))

        at_once([webhook, look] * 8)

        assert again(payment).status == "succeeded"
        assert balance(organization) == before + 1050
        assert grants(organization).count() == 1

    def test_the_end_of_a_session_and_its_payment_do_not_contradict(
        self, stripe, organization, pack
    ):
        """Whatever Stripe let happen first is what stands here."""
        payment = buy(organization, pack)
        before = balance(organization)

        def try_to_expire():
            with suppress(StripeRefused):  # it was paid a moment before
                checkout._expire(again(payment))

        at_once([lambda: press(payment), try_to_expire])
        stripe.tell()

        session = stripe.v1.checkout.sessions.retrieve(payment.stripe_session_id)
        is_paid = session.payment_status == "paid"
        assert again(payment).status == ("succeeded" if is_paid else "cancelled")
        assert balance(organization) == before + (1050 if is_paid else 0)

    def test_those_who_ask_at_once_write_one_session_down(self, stripe, organization, pack):
        payment = begin(organization, pack)

        def ask():
            with suppress(StripeUnavailable):  # Stripe says that a twin is asking
                checkout.open_checkout(again(payment))

        at_once([ask] * 8)

        assert again(checkout.open_checkout(again(payment))).status == "open"
        assert len(stripe.v1.checkout.sessions.list().data) == 1

"""The smaller resources: each rule that says no, and what takes a while."""

from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from tests.simulator.browsing import visit
from tests.simulator.conftest import KEY


def types(client):
    return [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]


@pytest.fixture
def rich(client):
    client.v1.topups.create({"amount": 5000, "currency": "usd"})
    return client


@pytest.fixture
def price(client):
    return client.v1.prices.create(
        {"currency": "usd", "unit_amount": 1500, "product_data": {"name": "Gold"}}
    )


class TestPayouts:
    def test_no_more_than_is_there_leaves(self, rich):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            rich.v1.payouts.create({"amount": 5001, "currency": "usd"})
        assert refused.value.code == "balance_insufficient"
        with pytest.raises(stripe.InvalidRequestError):
            rich.v1.payouts.create({"amount": 1, "currency": "eur"})
        assert rich.v1.payouts.list().data == []

    def test_are_canceled_once_and_only_before_they_arrive(self, rich, server):
        payout = rich.v1.payouts.create({"amount": 5000, "currency": "usd"})
        assert rich.v1.payouts.cancel(payout.id).status == "canceled"
        assert rich.v1.balance.retrieve().available[0].amount == 5000
        with pytest.raises(stripe.InvalidRequestError):
            rich.v1.payouts.cancel(payout.id)
        late = rich.v1.payouts.create({"amount": 5000, "currency": "usd"})
        visit(f"{server.url}/_sim/clock", seconds=90_000)
        assert types(rich)[-1] == "payout.paid"
        with pytest.raises(stripe.InvalidRequestError):
            rich.v1.payouts.cancel(late.id)


class TestTransfers:
    def test_go_to_accounts_that_exist_and_back_no_further(self, rich):
        transfer = {"amount": 1000, "currency": "usd", "destination": "acct_none"}
        with pytest.raises(stripe.InvalidRequestError) as refused:
            rich.v1.transfers.create(transfer)
        assert refused.value.param == "destination"
        account = rich.v1.accounts.create({"type": "standard"})
        made = rich.v1.transfers.create({**transfer, "destination": account.id})
        rich.v1.transfers.reversals.create(made.id, {"amount": 600})
        with pytest.raises(stripe.InvalidRequestError):
            rich.v1.transfers.reversals.create(made.id, {"amount": 401})
        rich.v1.transfers.reversals.create(made.id)
        found = rich.v1.transfers.retrieve(made.id)
        assert (found.reversed, len(found.reversals.data)) == (True, 2)
        assert rich.v1.balance.retrieve().available[0].amount == 5000


class TestQuotes:
    def test_go_one_way(self, client, price):
        customer = client.v1.customers.create({})
        lines = [{"price": price.id, "quantity": 3}]
        quote = client.v1.quotes.create({"customer": customer.id, "line_items": lines})
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.quotes.accept(quote.id)
        opened = client.v1.quotes.finalize_quote(quote.id)
        assert (opened.amount_total, opened.number) == (4500, "QT-SIMULATED-0001-1")
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.quotes.update(quote.id, {"description": "x"})
        assert client.v1.quotes.cancel(quote.id).status == "canceled"
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.quotes.cancel(quote.id)

    def test_an_empty_one_stays_a_draft(self, client):
        quote = client.v1.quotes.create({})
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.quotes.finalize_quote(quote.id)


class TestPlans:
    def test_are_prices_of_the_same_id(self, client):
        plan = client.v1.plans.create(
            {"currency": "usd", "interval": "month", "amount": 500, "product": {"name": "P"}}
        )
        assert client.v1.prices.retrieve(plan.id).unit_amount == 500
        client.v1.plans.update(plan.id, {"active": False})
        assert not client.v1.prices.retrieve(plan.id).active
        assert client.v1.plans.delete(plan.id).deleted


class TestMeters:
    def test_one_listens_to_a_name(self, client):
        given = {
            "display_name": "M",
            "event_name": "calls",
            "default_aggregation": {"formula": "sum"},
        }
        meter = client.v1.billing.meters.create(given)
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.billing.meters.create(given)
        assert client.v1.billing.meters.deactivate(meter.id).status == "inactive"
        client.v1.billing.meters.create(given)


class TestPaymentLinks:
    def test_lead_everybody_to_a_session_of_their_own(self, client, price):
        lines = [{"price": price.id, "quantity": 2}]
        link = client.v1.payment_links.create({"line_items": lines, "metadata": {"a": "b"}})
        first, second = visit(link.url)[2], visit(link.url)[2]
        assert first != second
        sessions = client.v1.checkout.sessions.list({"payment_link": link.id}).data
        assert [one.metadata["a"] for one in sessions] == ["b", "b"]
        words = {"active": False, "inactive_message": "<gone>"}
        client.v1.payment_links.update(link.id, words)
        status, shown, _ = visit(link.url)
        assert (status, "&lt;gone&gt;" in shown) == (410, True)


def debit(client, iban):
    return client.v1.payment_methods.create(
        {
            "type": "sepa_debit",
            "sepa_debit": {"iban": iban},
            "billing_details": {"name": "J", "email": "j@example.com"},
        }
    )


class TestDebits:
    @pytest.mark.parametrize(
        ("iban", "status", "event"),
        [
            ("AT611904300234573201", "succeeded", "payment_intent.succeeded"),
            ("AT861904300235473202", "requires_payment_method", "payment_intent.payment_failed"),
        ],
    )
    def test_take_a_while(self, client, server, iban, status, event):
        intent = client.v1.payment_intents.create(
            {
                "amount": 1000,
                "currency": "eur",
                "payment_method": debit(client, iban).id,
                "payment_method_types": ["sepa_debit"],
                "confirm": True,
            }
        )
        assert intent.status == "processing"
        assert client.v1.charges.retrieve(intent.latest_charge).status == "pending"
        assert client.v1.balance_transactions.list().data == []
        visit(f"{server.url}/_sim/clock", seconds=60)
        assert client.v1.payment_intents.retrieve(intent.id).status == status
        assert types(client)[-1] == event

    @pytest.mark.parametrize(
        ("iban", "payment_status", "event"),
        [
            ("AT611904300234573201", "paid", "checkout.session.async_payment_succeeded"),
            ("AT861904300235473202", "unpaid", "checkout.session.async_payment_failed"),
        ],
    )
    def test_complete_checkout_before_they_are_paid(
        self, client, server, iban, payment_status, event
    ):
        price = client.v1.prices.create(
            {"currency": "eur", "unit_amount": 1500, "product_data": {"name": "Gold"}}
        )
        session = client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [{"price": price.id, "quantity": 1}],
                "payment_method_types": ["sepa_debit"],
                "success_url": "http://127.0.0.1:1/",
            }
        )
        address = f"{server.url}/v1/payment_pages/{session.id}/confirm"
        assert visit(address, payment_method=debit(client, iban).id)[0] == 200
        done = client.v1.checkout.sessions.retrieve(session.id)
        assert (done.status, done.payment_status) == ("complete", "unpaid")
        visit(f"{server.url}/_sim/clock", seconds=60)
        assert client.v1.checkout.sessions.retrieve(session.id).payment_status == payment_status
        assert event in types(client)


class TestARequestWithoutAVersion:
    def post(self, server, path, form, **headers):
        connection = HTTPConnection(urlsplit(server.url).netloc, timeout=30)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        headers["Authorization"] = f"Bearer {KEY}"
        connection.request("POST", path, urlencode(form), headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def test_may_use_older_words(self, world, server):
        form = {
            "amount": 500,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": "true",
        }
        today = {"Stripe-Version": "2026-08-26.dahlia"}
        assert self.post(server, "/v1/payment_intents", form) == 200
        assert self.post(server, "/v1/payment_intents", form, **today) == 400

"""Checkout sessions, and the hosted page as a browser without scripts uses it."""

import re

import pytest
import stripe

from tests.simulator.browsing import visit

SUCCESS = "http://127.0.0.1:1/done?session={CHECKOUT_SESSION_ID}"
GOOD, DECLINED, POOR, ASKS = (
    "4242424242424242",
    "4000000000000002",
    "4000000000009995",
    "4000002760003184",
)


def press(url, card=GOOD, email="buyer@example.com", **more):
    return visit(url, action="pay", card=card, email=email, **more)


@pytest.fixture
def price(client):
    product = client.v1.products.create({"name": "Credits <b>"})
    return client.v1.prices.create({"currency": "usd", "unit_amount": 1500, "product": product.id})


@pytest.fixture
def make(client, price):
    def make(**more):
        given = {
            "mode": "payment",
            "success_url": SUCCESS,
            "cancel_url": "http://127.0.0.1:1/back",
            "line_items": [{"price": price.id, "quantity": 2}],
            **more,
        }
        given = {name: value for name, value in given.items() if value is not None}
        return client.v1.checkout.sessions.create(given)

    return make


def types(client):
    return [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]


class TestASession:
    def test_adds_up(self, client, make):
        session = make(expand=["line_items"])
        assert (session.status, session.payment_status) == ("open", "unpaid")
        assert (session.amount_total, session.currency) == (3000, "usd")
        assert session.payment_intent is None
        assert session.expires_at - session.created == 86_400
        line = session.line_items.data[0]
        assert (line.quantity, line.amount_total, line.price.unit_amount) == (2, 3000, 1500)
        listed = client.v1.checkout.sessions.line_items.list(session.id)
        assert [one.id for one in listed.data] == [line.id]

    @pytest.mark.parametrize(
        ("more", "param"),
        [
            ({"mode": None}, "mode"),
            ({"line_items": None}, "line_items"),
            ({"success_url": None}, "success_url"),
            ({"mode": "setup"}, "line_items"),
            ({"mode": "subscription"}, "line_items"),
            ({"subscription_data": {"description": "x"}}, "subscription_data"),
            ({"payment_method_types": ["card", "klarna"]}, "payment_method_types[1]"),
            ({"expires_at": 5}, "expires_at"),
            ({"customer": "cus_none"}, "customer"),
            ({"line_items": [{"price": "price_none", "quantity": 1}]}, "line_items[0][price]"),
            ({"optional_items": [{"price": "x", "quantity": 1}]}, "optional_items"),
        ],
    )
    def test_refuses(self, client, make, more, param):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            make(**more)
        assert refused.value.param == param
        assert client.v1.checkout.sessions.list().data == []

    def test_refuses_two_currencies_and_a_customer_with_another_address(self, client, make, price):
        other = client.v1.prices.create(
            {"currency": "eur", "unit_amount": 5, "product": price.product}
        )
        lines = [{"price": one, "quantity": 1} for one in (price.id, other.id)]
        with pytest.raises(stripe.InvalidRequestError):
            make(line_items=lines)
        customer = client.v1.customers.create({})
        with pytest.raises(stripe.InvalidRequestError):
            make(customer=customer.id, customer_email="a@b.example")

    def test_expires_when_asked_to_and_never_twice(self, client, make):
        session = make()
        expired = client.v1.checkout.sessions.expire(session.id)
        assert (expired.status, expired.url) == ("expired", None)
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.checkout.sessions.expire(session.id)
        assert types(client).count("checkout.session.expired") == 1
        assert press(session.url)[0] == 410
        assert client.v1.payment_intents.list().data == []

    def test_that_expires_after_a_decline_gives_its_payment_up(self, client, make):
        session = make()
        press(session.url, DECLINED)
        client.v1.checkout.sessions.expire(session.id)
        intent = client.v1.payment_intents.list().data[0]
        assert (intent.status, intent.cancellation_reason) == ("canceled", "abandoned")
        assert intent.canceled_at is not None
        assert types(client)[-2:] == ["payment_intent.canceled", "checkout.session.expired"]

    def test_expires_by_itself(self, client, make, world, server):
        session = make()
        visit(f"{server.url}/_sim/clock", seconds=86_300)
        assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
        visit(f"{server.url}/_sim/clock", seconds=200)
        assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"


class TestThePage:
    def test_tells_what_is_bought_and_that_no_card_is_charged(self, make):
        status, shown, _ = visit(make().url)
        assert status == 200
        assert "TEST CHECKOUT – no card is charged" in shown
        assert "Credits &lt;b&gt; × 2" in shown
        assert "Pay 30.00 USD" in shown

    def test_a_good_card_pays_and_leads_back_with_the_id(self, client, make):
        session = make(
            client_reference_id="order-1",
            customer_creation="always",
            payment_intent_data={"metadata": {"org": "7"}, "description": "Credits"},
        )
        status, _, where = press(session.url, name="B")
        assert (status, where) == (303, SUCCESS.replace("{CHECKOUT_SESSION_ID}", session.id))
        done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
        assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
        assert done.payment_intent.metadata["org"] == "7"
        assert done.payment_intent.amount_received == 3000
        assert done.customer_details.email == "buyer@example.com"
        assert client.v1.customers.retrieve(done.customer).email == "buyer@example.com"
        assert types(client)[-2:] == ["payment_intent.succeeded", "checkout.session.completed"]

    def test_a_guest_stays_one(self, client, make):
        session = make()
        press(session.url)
        assert client.v1.checkout.sessions.retrieve(session.id).customer is None
        assert client.v1.customers.list().data == []

    def test_pressing_twice_pays_once(self, client, make):
        session = make()
        first, second = press(session.url), press(session.url)
        assert first[2] == second[2]
        assert len(client.v1.charges.list().data) == 1
        assert types(client).count("checkout.session.completed") == 1

    @pytest.mark.parametrize(
        ("card", "message"),
        [(DECLINED, "Your card was declined."), (POOR, "Your card has insufficient funds.")],
    )
    def test_after_a_decline_another_card_pays_the_same_intent(self, client, make, card, message):
        session = make()
        status, shown, _ = press(session.url, card)
        assert status == 402
        assert f'role="alert">{message}' in shown
        assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
        assert press(session.url)[0] == 303
        assert len(client.v1.payment_intents.list().data) == 1
        statuses = [charge.status for charge in client.v1.charges.list().data]
        assert statuses == ["succeeded", "failed"]

    @pytest.mark.parametrize(
        ("outcome", "is_paid"), [("succeeds", True), ("fails", False)], ids=["yes", "no"]
    )
    def test_a_card_that_asks_for_authentication(self, client, make, outcome, is_paid):
        session = make()
        _, _, bank = press(session.url, ASKS)
        assert "/_sim/authenticate/" in bank
        assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
        _, _, back = visit(bank, outcome=outcome)
        status, shown, where = visit(back)
        done = client.v1.checkout.sessions.retrieve(session.id)
        assert (done.payment_status == "paid") is is_paid
        if is_paid:
            assert where.endswith(session.id)
        else:
            assert (status, done.status) == (200, "open")
            assert "We are unable to authenticate" in shown

    @pytest.mark.parametrize(
        "form",
        [
            {"email": "nobody"},
            {"card": "other", "number": "4111 1111 1111 1111"},
            {"card": "other"},
            {"card": "pm_nobodys"},
        ],
    )
    def test_says_what_is_wrong_and_changes_nothing(self, client, make, form):
        status, shown, _ = press(make().url, **form)
        assert status == 402
        assert 'role="alert"' in shown
        assert client.v1.payment_intents.list().data == []

    def test_what_is_typed_is_shown_as_text(self, make):
        _, shown, _ = press(make().url, email='"><script>', name="<i>")
        assert "<script>" not in shown
        assert "&lt;i&gt;" in shown

    def test_another_customers_card_cannot_be_chosen(self, client, make):
        owner, other = (client.v1.customers.create({"email": "a@b.example"}) for _ in range(2))
        saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": owner.id})
        assert press(make(customer=other.id).url, saved.id)[0] == 402
        mine = make(customer=owner.id)
        assert "Saved visa ending in 4242" in visit(mine.url)[1]
        assert press(mine.url, saved.id)[0] == 303

    def test_money_can_be_held(self, client, make):
        session = make(payment_intent_data={"capture_method": "manual"})
        press(session.url)
        done = client.v1.checkout.sessions.retrieve(session.id)
        assert (done.status, done.payment_status) == ("complete", "unpaid")
        client.v1.payment_intents.capture(done.payment_intent)
        assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"

    def test_quantities_can_be_changed_within_bounds(self, client, make, price):
        adjustable = {"enabled": True, "minimum": 1, "maximum": 5}
        line = {"price": price.id, "quantity": 2, "adjustable_quantity": adjustable}
        session = make(line_items=[line])
        name = re.search(r"quantity_li_\w+", visit(session.url)[1])[0]
        assert "Pay 75.00 USD" in visit(session.url, action="update", **{name: 50})[1]
        press(session.url, **{name: 3})
        assert client.v1.charges.list().data[0].amount == 4500

    def test_shipping_is_added(self, client, make):
        rate = client.v1.shipping_rates.create(
            {
                "display_name": "Ground",
                "type": "fixed_amount",
                "fixed_amount": {"amount": 500, "currency": "usd"},
            }
        )
        session = make(shipping_options=[{"shipping_rate": rate.id}])
        assert (session.amount_total, session.total_details.amount_shipping) == (3500, 500)


class TestSetup:
    def test_saves_a_card(self, client, make):
        customer = client.v1.customers.create({"email": "a@b.example"})
        session = make(mode="setup", line_items=None, currency="usd", customer=customer.id)
        assert session.payment_status == "no_payment_required"
        assert "Nothing is charged now" in visit(session.url)[1]
        assert press(session.url)[0] == 303
        done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
        assert (done.status, done.setup_intent.status) == ("complete", "succeeded")
        saved = client.v1.customers.payment_methods.list(customer.id).data
        assert [method.id for method in saved] == [done.setup_intent.payment_method]
        assert client.v1.charges.list().data == []

    def test_that_expires_gives_its_intent_up(self, client, make):
        session = make(mode="setup", line_items=None, currency="usd")
        client.v1.checkout.sessions.expire(session.id)
        intent = client.v1.setup_intents.list().data[0]
        assert (intent.status, intent.cancellation_reason) == ("canceled", "abandoned")
        assert types(client)[-2:] == ["setup_intent.canceled", "checkout.session.expired"]

"""Setting up a card for later, and the bank's page."""

import urllib.parse
import urllib.request

import pytest
import stripe

from tests.simulator.test_payments import pay, types


@pytest.fixture
def customer(client):
    return client.v1.customers.create({"name": "N"})


def set_up(client, customer, method):
    return client.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": method,
            "payment_method_types": ["card"],
            "confirm": True,
            "return_url": "http://127.0.0.1:1/back?a=b",
        }
    )


def test_a_card_is_set_up_and_saved(client, customer):
    intent = set_up(client, customer, "pm_card_visa")
    assert intent.status == "succeeded"
    assert client.v1.customers.payment_methods.list(customer.id).data[0].id == intent.payment_method
    assert types(client)[-3:] == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]
    attempts = client.v1.setup_attempts.list({"setup_intent": intent.id}).data
    assert [one.status for one in attempts] == ["succeeded"]


def test_a_declined_card_is_not_set_up(client, customer):
    with pytest.raises(stripe.CardError) as declined:
        set_up(client, customer, "pm_card_chargeDeclined")
    intent = declined.value.error.setup_intent
    assert intent.status == "requires_payment_method"
    assert types(client)[-1] == "setup_intent.setup_failed"
    assert client.v1.setup_intents.cancel(intent.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})


def test_after_authentication_a_card_may_be_charged_off_session(client, customer):
    intent = set_up(client, customer, "pm_card_authenticationRequiredOnSetup")
    assert intent.status == "requires_action"
    done = client.raw_request("post", f"/_sim/intents/{intent.id}/authenticate")
    assert done.code == 200
    intent = client.v1.setup_intents.retrieve(intent.id)
    assert intent.status == "succeeded"
    paid = pay(client, intent.payment_method, customer=customer.id, off_session=True)
    assert paid.status == "succeeded"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def press(url, outcome):
    """Return where the bank's page sends the browser."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        opener.open(url, data=urllib.parse.urlencode({"outcome": outcome}).encode())
    except urllib.error.HTTPError as answer:
        assert answer.code == 303
        return answer.headers["Location"]


@pytest.mark.parametrize(
    ("outcome", "status", "told"),
    [("succeeds", "succeeded", "succeeded"), ("fails", "requires_payment_method", "failed")],
)
def test_the_banks_page(client, customer, outcome, status, told):
    intent = pay(
        client,
        "pm_card_authenticationRequired",
        customer=customer.id,
        return_url="http://127.0.0.1:1/back?a=b",
    )
    url = intent.next_action.redirect_to_url.url
    page = urllib.request.urlopen(url).read().decode()
    assert "no card is charged" in page
    assert "20.00 USD" in page
    back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(press(url, outcome)).query))
    assert (back["a"], back["payment_intent"], back["redirect_status"]) == ("b", intent.id, told)
    found = client.v1.payment_intents.retrieve(intent.id)
    assert found.status == status
    assert "Nothing is asked" in urllib.request.urlopen(url).read().decode()


def test_a_card_that_is_declined_after_authentication(client, customer):
    intent = pay(
        client, "pm_card_threeDSecureRequiredChargeDeclined", return_url="http://127.0.0.1:1/"
    )
    assert press(intent.next_action.redirect_to_url.url, "succeeds").endswith("failed")
    error = client.v1.payment_intents.retrieve(intent.id).last_payment_error
    assert error.decline_code == "generic_decline"


def test_only_what_waits_is_authenticated(client):
    intent = pay(client)
    with pytest.raises(stripe.InvalidRequestError, match="does not wait"):
        client.raw_request("post", f"/_sim/intents/{intent.id}/authenticate")
    with pytest.raises(stripe.InvalidRequestError):
        client.raw_request("post", "/_sim/intents/pi_none/authenticate")

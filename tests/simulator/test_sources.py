"""The old way: tokens, sources and charges without an intent."""

import pytest
import stripe

from tests.simulator.test_payments import types


@pytest.fixture
def customer(client):
    return client.v1.customers.create({"source": "tok_visa"})


def test_the_first_source_is_the_default_and_a_payment_method(client, customer):
    assert customer.default_source.startswith("card_")
    found = client.v1.customers.retrieve(customer.id, {"expand": ["sources", "default_source"]})
    assert found.default_source.last4 == "4242"
    assert [one.id for one in found.sources.data] == [customer.default_source]
    method = client.v1.payment_methods.retrieve(customer.default_source)
    assert (method.customer, method.card.last4) == (customer.id, "4242")
    assert types(client)[:2] == ["customer.created", "customer.source.created"]


def test_a_source_is_changed_and_removed(client, customer):
    sources = client.v1.customers.payment_sources
    other = sources.create(customer.id, {"source": "tok_mastercard"})
    sources.update(customer.id, other.id, {"name": "N"})
    assert "customer.source.updated" in types(client)
    assert sources.delete(customer.id, customer.default_source).deleted
    assert client.v1.customers.retrieve(customer.id).default_source == other.id


def test_a_charge_is_made_held_and_captured(client, customer):
    charge = client.v1.charges.create({"amount": 500, "currency": "usd", "customer": customer.id})
    assert (charge.paid, charge.payment_intent) == (True, None)
    held = client.v1.charges.create(
        {"amount": 500, "currency": "usd", "source": "tok_visa", "capture": False}
    )
    assert not held.captured
    assert client.v1.charges.capture(held.id, {"amount": 300}).amount_captured == 300
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.capture(held.id)
    assert refused.value.code == "charge_already_captured"


def test_a_charge_is_declined(client):
    with pytest.raises(stripe.CardError) as declined:
        client.v1.charges.create(
            {"amount": 500, "currency": "usd", "source": "tok_chargeDeclinedExpiredCard"}
        )
    assert declined.value.code == "expired_card"
    assert client.v1.charges.list().data[0].status == "failed"


def test_a_token_is_used_once(client):
    card = {"number": "4242424242424242", "exp_month": "1", "exp_year": "2034"}
    token = client.v1.tokens.create({"card": card})
    charge = {"amount": 500, "currency": "usd", "source": token.id}
    client.v1.charges.create(charge)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.create(charge)
    assert refused.value.code == "token_already_used"


@pytest.mark.parametrize("missing", ["amount", "currency", "source"])
def test_a_charge_needs_all_of_it(client, missing):
    charge = {"amount": 500, "currency": "usd", "source": "tok_visa"}
    del charge[missing]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.create(charge)
    assert (refused.value.param, refused.value.code) == (missing, "parameter_missing")

"""Chaos: what a client sees, and what is there afterwards."""

import pytest
import stripe

from tests.simulator.conftest import KEY
from tests.simulator.test_deliveries import endpoint, receiver  # noqa: F401  a fixture

AFTER = ("error_after", "drop_after", "reset_after")
BEFORE = ("conflict", "rate_limit", "error_before", "drop_before", "reset_before")


@pytest.fixture
def chaos(client):
    """Add a rule."""

    def add(effect, **values):
        answer = client.raw_request("post", "/_sim/chaos", effect=effect, **values)
        assert answer.code == 200

    return add


def count(client):
    return len(client.v1.customers.list().data)


@pytest.mark.parametrize("effect", BEFORE)
def test_a_request_that_never_was(client, chaos, effect):
    chaos(effect, path="/v1/customers", method="POST", times=1)
    with pytest.raises((stripe.APIError, stripe.APIConnectionError, stripe.RateLimitError)):
        client.v1.customers.create({})
    assert count(client) == 0
    client.v1.customers.create({})
    assert count(client) == 1


@pytest.mark.parametrize("effect", AFTER)
def test_a_request_whose_answer_is_lost(client, chaos, effect):
    chaos(effect, path="/v1/customers", method="POST", times=1)
    options = {"idempotency_key": "k"}
    with pytest.raises((stripe.APIError, stripe.APIConnectionError)):
        client.v1.customers.create({}, options)
    assert count(client) == 1
    client.v1.customers.create({}, options)
    assert count(client) == 1


@pytest.mark.parametrize("effect", [e for e in (*BEFORE, *AFTER) if e != "rate_limit"])
def test_stripes_client_tries_again_by_itself(world, server, chaos, effect):
    patient = stripe.StripeClient(KEY, base_addresses={"api": server.url}, max_network_retries=1)
    chaos(effect, path="/v1/customers", method="POST", times=1)
    patient.v1.customers.create({})
    assert count(patient) == 1


def test_a_client_that_does_not_wait_long_enough(client, server, chaos):
    hasty = stripe.StripeClient(
        KEY,
        base_addresses={"api": server.url},
        http_client=stripe.RequestsClient(timeout=1),
    )
    chaos("timeout_after", path="/v1/customers", method="POST", times=1, seconds=2)
    with pytest.raises(stripe.APIConnectionError):
        hasty.v1.customers.create({}, {"idempotency_key": "k", "max_network_retries": 0})
    assert count(client) == 1


def test_webhooks_before_the_answer(client, chaos, receiver):  # noqa: F811
    endpoint(client, receiver)
    chaos("webhook_first", path="/v1/customers", method="POST")
    client.v1.customers.create({})
    assert len(receiver.bodies) == 1


def test_deliveries_are_doubled_lost_and_dropped(client, chaos, world, receiver, monkeypatch):  # noqa: F811
    monkeypatch.setattr(world.deliveries, "back_off", (0.01,))
    endpoint(client, receiver)
    chaos("lose", event="customer.created")
    chaos("duplicate", event="product.created", copies=2)
    chaos("drop", event="price.created")
    client.v1.customers.create({})
    product = client.v1.products.create({"name": "N"})
    receiver.wait(3)
    assert world.deliveries.wait_until_idle(30)  # the log is written after the answer
    client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 5})
    receiver.wait(4)
    assert world.deliveries.wait_until_idle(30)
    log = client.raw_request("get", "/_sim/deliveries").data
    outcomes = [(line["type"], line["outcome"]) for line in log["deliveries"]][::-1]
    # Of the first four, each told by itself, no order is promised.
    assert sorted(outcomes[:4], key=str) == [
        ("customer.created", "lost by chaos"),
        *[("product.created", 200)] * 3,
    ]
    assert outcomes[4:] == [("price.created", "dropped by chaos"), ("price.created", 200)]


def test_deliveries_are_held_and_shuffled(client, chaos, receiver):  # noqa: F811
    endpoint(client, receiver)
    chaos("shuffle", batch=4)
    for _ in range(3):
        client.v1.customers.create({})
    assert receiver.bodies == []
    client.v1.customers.create({})
    receiver.wait(4)
    client.v1.customers.create({})
    client.raw_request("delete", "/_sim/chaos")
    receiver.wait(5)


def test_an_effect_that_does_not_exist(client):
    with pytest.raises(stripe.InvalidRequestError):
        client.raw_request("post", "/_sim/chaos", effect="fire")

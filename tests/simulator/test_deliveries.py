"""Webhooks: signed, filtered, tried again, sent anew."""

import json

import pytest
import stripe

from tests.simulator.receiver import receiving


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


def endpoint(client, receiver, *events):
    return client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": list(events) or ["*"]}
    )


def test_the_signature_is_one_that_stripes_client_accepts(client, receiver):
    made = endpoint(client, receiver)
    client.v1.customers.create({"name": "N"})
    receiver.wait(1)
    event = stripe.Webhook.construct_event(receiver.bodies[0], receiver.signatures[0], made.secret)
    assert event.type == "customer.created"
    assert client.v1.webhook_endpoints.retrieve(made.id).get("secret") is None


def test_only_what_is_wanted_is_sent(client, receiver):
    endpoint(client, receiver, "customer.deleted")
    customer = client.v1.customers.create({"name": "N"})
    client.v1.customers.delete(customer.id)
    receiver.wait(1)
    assert [json.loads(body)["type"] for body in receiver.bodies] == ["customer.deleted"]


def test_a_failed_delivery_is_tried_again(client, receiver, world, monkeypatch):
    monkeypatch.setattr(world.deliveries, "back_off", (0.01, 0.01))
    receiver.statuses = [500]
    endpoint(client, receiver)
    client.v1.customers.create({"name": "N"})
    receiver.wait(2)
    assert receiver.bodies[0] == receiver.bodies[1]

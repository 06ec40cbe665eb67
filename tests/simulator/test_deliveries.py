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


def test_every_endpoint_is_told_by_its_own_secret(client, receiver):
    secrets = [endpoint(client, receiver).secret for _ in range(2)]
    client.v1.customers.create({"name": "N"})
    receiver.wait(2)
    for body, signature in zip(receiver.bodies, receiver.signatures, strict=True):
        accepted = [secret for secret in secrets if verifies(body, signature, secret)]
        assert len(accepted) == 1
        secrets.remove(accepted[0])


def verifies(body, signature, secret):
    try:
        return stripe.Webhook.construct_event(body, signature, secret)
    except stripe.SignatureVerificationError:
        return False


def test_after_a_rotation_both_secrets_sign_for_a_while(client, receiver):
    made = endpoint(client, receiver)
    path = f"/_sim/webhook_endpoints/{made.id}/rotate"
    new = client.raw_request("post", path, seconds=60).data["secret"]
    client.v1.customers.create({})
    receiver.wait(1)
    assert verifies(receiver.bodies[0], receiver.signatures[0], made.secret)
    assert verifies(receiver.bodies[0], receiver.signatures[0], new)
    client.raw_request("post", "/_sim/clock", seconds=61)
    client.v1.customers.create({})
    receiver.wait(2)
    assert not verifies(receiver.bodies[1], receiver.signatures[1], made.secret)
    assert verifies(receiver.bodies[1], receiver.signatures[1], new)


def test_an_endpoint_that_is_switched_off_is_not_told(client, receiver, world):
    made = endpoint(client, receiver)
    client.v1.webhook_endpoints.update(made.id, {"disabled": True})
    event = client.v1.customers.create({}) and client.v1.events.list().data[0]
    assert event.pending_webhooks == 0
    client.v1.webhook_endpoints.update(made.id, {"disabled": False})
    client.raw_request("post", f"/_sim/events/{event.id}/resend")
    receiver.wait(1)
    assert json.loads(receiver.bodies[0])["id"] == event.id


def test_an_event_knows_how_many_have_yet_to_hear_of_it(client, receiver, world):
    endpoint(client, receiver)
    client.v1.customers.create({})
    receiver.wait(1)
    assert json.loads(receiver.bodies[0])["pending_webhooks"] == 1
    assert world.deliveries.wait_until_idle(30)
    assert client.v1.events.list({"delivery_success": True}).data[0].pending_webhooks == 0
    assert client.v1.events.list({"delivery_success": False}).data == []


def test_it_gives_up_in_the_end(client, receiver, world, monkeypatch):
    monkeypatch.setattr(world.deliveries, "back_off", (0.01, 0.01))
    receiver.statuses = [500] * 3
    endpoint(client, receiver)
    client.v1.customers.create({})
    receiver.wait(3)
    assert world.deliveries.wait_until_idle(30)
    counts = client.raw_request("get", "/_sim/deliveries").data["counts"]
    assert counts == {"sent": 3, "succeeded": 0, "failed": 3, "given_up": 1}
    assert client.v1.events.list().data[0].pending_webhooks == 1


def test_nothing_leaves_this_machine(client, world, monkeypatch):
    monkeypatch.setattr(world.deliveries, "back_off", ())
    client.v1.webhook_endpoints.create(
        {"url": "https://hooks.example.com/x", "enabled_events": ["*"]}
    )
    client.v1.customers.create({})
    assert world.deliveries.wait_until_idle(30)
    line = client.raw_request("get", "/_sim/deliveries").data["deliveries"][0]
    assert line["outcome"].startswith("not sent: hooks.example.com")


def test_an_address_is_an_address(client):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.webhook_endpoints.create({"url": "here", "enabled_events": ["*"]})
    assert refused.value.code == "url_invalid"

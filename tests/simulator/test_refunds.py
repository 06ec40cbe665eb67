"""Refunds: never above the charge, and what the bank does with them."""

import pytest
import stripe

from tests.simulator.test_payments import pay, types


def refund(client, intent, **more):
    return client.v1.refunds.create({"payment_intent": intent.id, **more})


def test_a_charge_is_refunded_in_parts_and_never_above(client):
    intent = pay(client)
    first = refund(client, intent, amount=1500, reason="requested_by_customer")
    assert (first.status, first.charge) == ("succeeded", intent.latest_charge)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        refund(client, intent, amount=501)
    assert refused.value.param == "amount"
    assert refund(client, intent).amount == 500
    with pytest.raises(stripe.InvalidRequestError) as refused:
        refund(client, intent, amount=1)
    assert refused.value.code == "charge_already_refunded"
    charge = client.v1.charges.retrieve(intent.latest_charge, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (2000, True)
    assert [one.amount for one in charge.refunds.data] == [500, 1500]
    assert types(client)[-4:] == ["charge.refunded", "refund.created"] * 2
    balance = client.v1.balance.retrieve()
    assert (balance.pending[0].amount, balance.available[0].amount) == (1912, -2000)


def test_what_never_succeeded_is_not_refunded(client):
    with pytest.raises(stripe.CardError) as declined:
        pay(client, "pm_card_chargeDeclined")
    with pytest.raises(stripe.InvalidRequestError):
        refund(client, declined.value.error.payment_intent)
    with pytest.raises(stripe.InvalidRequestError):
        refund(client, pay(client, capture_method="manual"))
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({})
    assert refused.value.code == "parameter_missing"


def test_a_refund_that_the_bank_sends_back(client, server):
    intent = pay(client, "pm_card_refundFail")
    made = refund(client, intent)
    assert made.status == "succeeded"
    move_clock(client, 60)
    assert client.v1.refunds.retrieve(made.id).status == "failed"
    charge = client.v1.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert "refund.failed" in types(client)
    assert refund(client, intent, amount=2000).status == "succeeded"


def test_a_refund_that_takes_its_time(client):
    made = refund(client, pay(client, "pm_card_pendingRefund"))
    assert made.status == "pending"
    move_clock(client, 60)
    assert client.v1.refunds.retrieve(made.id).status == "succeeded"


def move_clock(client, seconds):
    answer = client.raw_request("post", "/_sim/clock", seconds=seconds)
    assert answer.code == 200


def test_a_charge_that_is_held_or_disputed_is_not_refunded(client, world):
    held = client.v1.charges.create(
        {"amount": 500, "currency": "usd", "source": "tok_visa", "capture": False}
    )
    intent = pay(client)
    world.store.kinds["charge"].rows[intent.latest_charge]["disputed"] = True
    for charge, code in (
        (held.id, "charge_not_refundable"),
        (intent.latest_charge, "charge_disputed"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create({"charge": charge})
        assert refused.value.code == code


@pytest.mark.parametrize("amount", [0, -5])
def test_nothing_is_no_refund(client, amount):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        refund(client, pay(client), amount=amount)
    assert refused.value.param == "amount"

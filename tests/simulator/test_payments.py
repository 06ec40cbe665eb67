"""Payment methods and payment intents: what goes through, what is declined, and what it leaves."""

import pytest
import stripe

from simulator import cards


@pytest.fixture
def customer(client):
    return client.v1.customers.create({"name": "N"})


def types(client):
    return [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]


def pay(client, method="pm_card_visa", **more):
    return client.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "payment_method": method,
            "payment_method_types": ["card"],
            "confirm": True,
            **more,
        }
    )


def test_a_payment_goes_through(client):
    intent = pay(client, metadata={"order": "1"}, expand=["latest_charge.balance_transaction"])
    assert (intent.status, intent.amount_received) == ("succeeded", 2000)
    charge = intent.latest_charge
    assert (charge.captured, charge.metadata["order"]) == (True, "1")
    assert (charge.balance_transaction.fee, charge.balance_transaction.net) == (88, 1912)
    assert types(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "charge.updated",
        "payment_intent.succeeded",
    ]
    assert client.v1.balance.retrieve().pending[0].amount == 1912


@pytest.mark.parametrize("card", cards.DECLINES, ids=lambda card: card.names[0])
def test_every_declined_card_is_declined_with_its_code(client, card):
    with pytest.raises(stripe.CardError) as declined:
        pay(client, f"pm_card_{card.names[0]}")
    error = declined.value.error
    assert (error.decline_code, error.code) == (card.decline, cards.decline_code(card.decline))
    intent = client.v1.payment_intents.retrieve(error.payment_intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.decline_code == card.decline
    assert client.v1.charges.retrieve(error.charge).status == "failed"
    assert client.v1.balance_transactions.list().data == []
    assert types(client)[-2:] == ["charge.failed", "payment_intent.payment_failed"]


def test_a_declined_intent_may_be_paid_by_another_card(client):
    with pytest.raises(stripe.CardError) as declined:
        pay(client, "pm_card_chargeDeclined")
    id_ = declined.value.error.payment_intent.id
    intent = client.v1.payment_intents.confirm(id_, {"payment_method": "pm_card_visa"})
    assert (intent.status, intent.last_payment_error) == ("succeeded", None)


def test_a_card_that_would_be_declined_cannot_be_saved_but_one_can(client, customer):
    with pytest.raises(stripe.CardError):
        client.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})
    assert client.v1.customers.payment_methods.list(customer.id).data == []
    saved = client.v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": customer.id}
    )
    with pytest.raises(stripe.CardError):
        pay(client, saved.id, customer=customer.id, off_session=True)


def test_a_method_that_was_used_without_a_customer_is_spent(client):
    intent = pay(client)
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, intent.payment_method)


def test_a_method_of_another_customer_is_refused(client, customer):
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, saved.id)
    other = client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, saved.id, customer=other.id)
    assert client.v1.payment_intents.list().data == []


def test_detaching_clears_the_default(client, customer):
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    settings = {"invoice_settings": {"default_payment_method": saved.id}}
    client.v1.customers.update(customer.id, settings)
    client.v1.payment_methods.detach(saved.id)
    found = client.v1.customers.retrieve(customer.id)
    assert found.invoice_settings.default_payment_method is None
    assert types(client)[-2:] == ["customer.updated", "payment_method.detached"]


@pytest.mark.parametrize(
    ("number", "code"),
    [("4242424242424241", "incorrect_number"), ("4111111111111111", "card_declined")],
)
def test_only_test_cards_are_taken(client, number, code):
    card = {"number": number, "exp_month": 1, "exp_year": 2034}
    with pytest.raises(stripe.CardError) as refused:
        client.v1.payment_methods.create({"type": "card", "card": card})
    assert refused.value.code == code


def test_authentication_is_asked_for_on_session(client, server, customer):
    intent = pay(
        client,
        "pm_card_authenticationRequired",
        customer=customer.id,
        return_url="http://127.0.0.1:1/back",
    )
    assert intent.status == "requires_action"
    assert intent.next_action.redirect_to_url.url.startswith(server.url)
    assert types(client)[-1] == "payment_intent.requires_action"


def test_authentication_off_session_is_a_decline(client, customer):
    saved = client.v1.payment_methods.attach(
        "pm_card_authenticationRequired", {"customer": customer.id}
    )
    with pytest.raises(stripe.CardError) as declined:
        pay(client, saved.id, customer=customer.id, off_session=True)
    assert declined.value.code == "authentication_required"
    assert declined.value.error.payment_intent.status == "requires_payment_method"


def test_money_is_held_captured_in_part_and_let_go(client):
    held = pay(client, capture_method="manual")
    assert (held.status, held.amount_capturable) == ("requires_capture", 2000)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": 2001})
    taken = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 500})
    assert (taken.status, taken.amount_received) == ("succeeded", 500)
    refunded = client.v1.refunds.create({"payment_intent": held.id})
    assert refunded.amount == 500
    charge = client.v1.charges.retrieve(taken.latest_charge)
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (500, 2000, True)
    with pytest.raises(stripe.InvalidRequestError) as twice:
        client.v1.refunds.create({"payment_intent": held.id})
    assert twice.value.code == "charge_already_refunded"
    other = client.v1.payment_intents.cancel(pay(client, capture_method="manual").id)
    assert other.status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.confirm(other.id)
    assert refused.value.code == "payment_intent_unexpected_state"


def test_what_may_redirect_needs_a_return_url(client):
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create(
            {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
        )
    assert client.v1.payment_intents.list().data == []


@pytest.mark.parametrize(
    ("amount", "code"), [(49, "amount_too_small"), (100_000_000, "amount_too_large")]
)
def test_amounts_have_bounds(client, amount, code):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(client, amount=amount)
    assert refused.value.code == code


def test_an_intent_without_a_method_is_not_confirmed(client):
    intent = client.v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "payment_method_types": ["card"]}
    )
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method") as refused:
        client.v1.payment_intents.confirm(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"


def test_a_method_belongs_to_one_customer_and_never_again_to_another(client, customer):
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    other = client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        client.v1.payment_methods.attach(saved.id, {"customer": other.id})
    client.v1.payment_methods.detach(saved.id)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        client.v1.payment_methods.attach(saved.id, {"customer": customer.id})


def test_what_is_paid_is_not_changed_captured_or_canceled(client):
    paid = pay(client)
    intents = client.v1.payment_intents
    for refuse in (
        lambda: intents.update(paid.id, {"amount": 5000}),
        lambda: intents.capture(paid.id),
        lambda: intents.cancel(paid.id),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            refuse()
        assert refused.value.code == "payment_intent_unexpected_state"
    assert intents.update(paid.id, {"metadata": {"a": "b"}}).metadata["a"] == "b"


def test_authentication_may_be_wanted_of_any_card(client):
    options = {"card": {"request_three_d_secure": "any"}}
    assert pay(client, payment_method_options=options).status == "requires_action"
    intent = client.v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "payment_method_types": ["card"]}
    )
    confirmed = client.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa", "payment_method_options": options}
    )
    assert confirmed.status == "requires_action"

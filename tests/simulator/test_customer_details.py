"""What hangs on customers: tax ids, their balance, and what is given when they are made."""

import pytest
import stripe


@pytest.fixture
def customer(client):
    return client.v1.customers.create({"name": "N"})


def test_tax_ids(client, customer):
    made = client.v1.customers.tax_ids.create(
        customer.id, {"type": "eu_vat", "value": "DE123456789"}
    )
    assert (made.country, made.verification.status) == ("DE", "pending")
    found = client.v1.customers.retrieve(customer.id, {"expand": ["tax_ids"]})
    assert [one.id for one in found.tax_ids.data] == [made.id]
    other = client.v1.customers.create({"tax_id_data": [{"type": "us_ein", "value": "12-3456789"}]})
    assert client.v1.customers.tax_ids.list(other.id).data[0].value == "12-3456789"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.tax_ids.retrieve(other.id, made.id)
    assert client.v1.customers.tax_ids.delete(customer.id, made.id).deleted


def test_the_balance_moves_with_a_reason(client, customer):
    move = client.v1.customers.balance_transactions.create
    move(customer.id, {"amount": -500, "currency": "usd"})
    second = move(customer.id, {"amount": 200, "currency": "usd", "description": "fee"})
    assert second.ending_balance == -300
    assert client.v1.customers.retrieve(customer.id).balance == -300
    with pytest.raises(stripe.InvalidRequestError):
        move(customer.id, {"amount": 1, "currency": "eur"})
    assert len(client.v1.customers.balance_transactions.list(customer.id).data) == 2


def test_a_customer_comes_with_a_card(client):
    method = client.v1.payment_methods.retrieve("pm_card_visa").id
    made = client.v1.customers.create(
        {"payment_method": method, "invoice_settings": {"default_payment_method": method}}
    )
    assert made.invoice_settings.default_payment_method == method
    assert client.v1.payment_methods.retrieve(method).customer == made.id


def test_a_method_of_nobody_is_no_default(client, customer):
    method = client.v1.payment_methods.retrieve("pm_card_visa").id
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.update(
            customer.id, {"invoice_settings": {"default_payment_method": method}}
        )
    assert refused.value.param == "invoice_settings[default_payment_method]"


def test_the_account(client, world):
    account = client.v1.accounts.retrieve_current()
    assert client.v1.accounts.retrieve(account.id).charges_enabled
    assert world.examined

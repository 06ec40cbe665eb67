"""The hosted page of an invoice."""

import urllib.parse
import urllib.request

import pytest

from tests.simulator.billing import with_card


@pytest.fixture
def invoice(client):
    customer = with_card(client)
    params = {"customer": customer.id, "amount": 1234, "currency": "usd", "description": "<b>"}
    client.v1.invoice_items.create(params)
    draft = client.v1.invoices.create(
        {"customer": customer.id, "pending_invoice_items_behavior": "include"}
    )
    return client.v1.invoices.finalize_invoice(draft.id)


def look(url, **form):
    data = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(url, data) as answer:
        return answer.read().decode()


def test_it_says_what_is_owed_and_is_paid_there(client, invoice):
    seen = look(invoice.hosted_invoice_url)
    assert "12.34 USD" in seen
    assert "&lt;b&gt;" in seen
    assert "TEST CHECKOUT" in seen
    declined = look(invoice.hosted_invoice_url, number="4000000000000002")
    assert "Your card was declined." in declined
    assert client.v1.invoices.retrieve(invoice.id).status == "open"
    paid = look(invoice.hosted_invoice_url, number="4242 4242 4242 4242")
    assert "<form" not in paid
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
    assert look(invoice.invoice_pdf) == paid


def test_authentication_leads_to_the_bank(client, invoice):
    assert "<form" in look(invoice.hosted_invoice_url, number="4000002760003184")
    assert client.v1.payment_intents.list().data[0].status == "requires_action"

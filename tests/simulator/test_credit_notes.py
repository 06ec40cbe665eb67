"""Credit notes: they lower what is owed, or give back what was paid, and never more."""

import pytest
import stripe

from tests.simulator.billing import types, with_card


@pytest.fixture
def customer(client):
    return with_card(client)


def invoice_of(client, customer, *amounts, is_paid=True, **more):
    for amount in amounts or (2000,):
        client.v1.invoice_items.create(
            {"customer": customer.id, "amount": amount, "currency": "usd"}
        )
    made = client.v1.invoices.create(
        {"customer": customer.id, "pending_invoice_items_behavior": "include", **more}
    )
    service = client.v1.invoices
    return service.pay(made.id) if is_paid else service.finalize_invoice(made.id)


def test_an_open_invoice_asks_for_less(client, customer):
    invoice = invoice_of(client, customer, is_paid=False)
    note = client.v1.credit_notes.create({"invoice": invoice.id, "amount": 500})
    assert (note.type, note.pre_payment_amount, note.status) == ("pre_payment", 500, "issued")
    lowered = client.v1.invoices.retrieve(invoice.id)
    assert (lowered.total, lowered.amount_remaining) == (2000, 1500)
    assert client.v1.invoices.pay(invoice.id).amount_paid == 1500
    assert client.v1.charges.list().data[0].amount == 1500


def test_an_open_invoice_that_is_credited_wholly_is_paid(client, customer):
    invoice = invoice_of(client, customer, is_paid=False)
    client.v1.credit_notes.create({"invoice": invoice.id, "amount": 2000})
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
    assert client.v1.charges.list().data == []


def test_voiding_it_lets_the_invoice_ask_for_all_again(client, customer):
    invoice = invoice_of(client, customer, is_paid=False)
    note = client.v1.credit_notes.create({"invoice": invoice.id, "amount": 500})
    assert client.v1.credit_notes.void_credit_note(note.id).status == "void"
    assert client.v1.invoices.retrieve(invoice.id).amount_remaining == 2000
    assert client.v1.credit_notes.create({"invoice": invoice.id, "amount": 2000}).total == 2000
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.credit_notes.void_credit_note(note.id)


def test_what_was_paid_goes_back_as_refund_credit_or_elsewhere(client, customer):
    invoice = invoice_of(client, customer)
    note = client.v1.credit_notes.create(
        {
            "invoice": invoice.id,
            "amount": 1000,
            "refund_amount": 500,
            "credit_amount": 300,
            "out_of_band_amount": 200,
            "expand": ["refunds.refund", "customer_balance_transaction"],
        }
    )
    assert (note.type, note.post_payment_amount) == ("post_payment", 1000)
    assert note.refunds[0].refund.amount == 500
    assert note.customer_balance_transaction.amount == -300
    assert client.v1.customers.retrieve(customer.id).balance == -300
    assert client.v1.charges.list().data[0].amount_refunded == 500
    credited = client.v1.invoices.retrieve(invoice.id)
    assert credited.post_payment_credit_notes_amount == 1000
    assert "credit_note.created" in types(client)


@pytest.mark.parametrize(
    "params",
    [
        {"amount": 2001, "refund_amount": 2001},
        {"amount": 1000},
        {"amount": 1000, "refund_amount": 500},
        {"amount": 0, "refund_amount": 0},
        {},
    ],
)
def test_never_more_than_was_paid_and_always_said_how(client, customer, params):
    invoice = invoice_of(client, customer)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.credit_notes.create({"invoice": invoice.id, **params})
    assert client.v1.charges.list().data[0].amount_refunded == 0
    assert client.v1.credit_notes.list().data == []


def test_several_notes_together_never_credit_more_than_the_invoice(client, customer):
    invoice = invoice_of(client, customer)
    params = {"invoice": invoice.id, "amount": 1500, "credit_amount": 1500}
    client.v1.credit_notes.create(params)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.credit_notes.create(params)
    rest = client.v1.credit_notes.create(
        {"invoice": invoice.id, "amount": 500, "refund_amount": 500}
    )
    assert rest.number == f"{invoice.number}-CN-02"


def test_a_line_is_credited_with_its_share_of_discount_and_tax(client, customer):
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False})
    coupon = client.v1.coupons.create({"percent_off": 10})
    invoice = invoice_of(
        client,
        customer,
        1000,
        3000,
        discounts=[{"coupon": coupon.id}],
        default_tax_rates=[rate.id],
    )
    assert invoice.total == 4320
    line = invoice.lines.data[1]
    params = {
        "invoice": invoice.id,
        "lines": [{"type": "invoice_line_item", "invoice_line_item": line.id, "amount": 1000}],
        "refund_amount": 1080,
    }
    seen = client.v1.credit_notes.preview(params)
    assert (seen.subtotal, seen.discount_amount, seen.total) == (1000, 100, 1080)
    assert client.v1.credit_notes.list().data == []
    assert client.v1.charges.list().data[0].amount_refunded == 0
    note = client.v1.credit_notes.create(params)
    assert note.total == seen.total
    listed = client.v1.credit_notes.line_items.list(note.id).data
    assert [one.invoice_line_item for one in listed] == [line.id]
    params["lines"][0]["amount"] = 2001
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.credit_notes.create(params)


@pytest.mark.parametrize("state", ["draft", "void"])
def test_a_draft_or_void_invoice_has_nothing_to_credit(client, customer, state):
    client.v1.invoice_items.create({"customer": customer.id, "amount": 2000, "currency": "usd"})
    made = client.v1.invoices.create(
        {"customer": customer.id, "pending_invoice_items_behavior": "include"}
    )
    if state == "void":
        client.v1.invoices.finalize_invoice(made.id)
        client.v1.invoices.void_invoice(made.id)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.credit_notes.create({"invoice": made.id, "amount": 100})


def test_metadata_and_memo_may_be_changed(client, customer):
    invoice = invoice_of(client, customer, is_paid=False)
    note = client.v1.credit_notes.create({"invoice": invoice.id, "amount": 500})
    changed = client.v1.credit_notes.update(note.id, {"memo": "Sorry", "metadata": {"a": "b"}})
    assert (changed.memo, changed.metadata["a"]) == ("Sorry", "b")
    assert types(client)[-1] == "credit_note.updated"

"""Invoices by hand: drafts, final ones, paid ones, and all that they refuse."""

import pytest
import stripe


def types(client):
    return [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]


@pytest.fixture
def customer(client):
    customer = client.v1.customers.create({"name": "N", "email": "n@example.com"})
    return with_card(client, customer)


def with_card(client, customer, card="pm_card_visa"):
    method = client.v1.payment_methods.attach(card, {"customer": customer.id})
    return client.v1.customers.update(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )


def draft(client, customer, amount=2000, **more):
    client.v1.invoice_items.create({"customer": customer.id, "amount": amount, "currency": "usd"})
    params = {"customer": customer.id, "pending_invoice_items_behavior": "include", **more}
    return client.v1.invoices.create(params)


def final(client, customer, amount=2000, **more):
    return client.v1.invoices.finalize_invoice(draft(client, customer, amount, **more).id)


def test_a_draft_is_made_of_pending_items_and_paid(client, customer):
    invoice = draft(client, customer)
    assert (invoice.status, invoice.total, invoice.number) == ("draft", 2000, None)
    assert invoice.lines.data[0].parent.type == "invoice_item_details"
    assert client.v1.invoice_items.list({"pending": True}).data == []
    paid = client.v1.invoices.pay(invoice.id, {"expand": ["payments.data.payment.payment_intent"]})
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 2000, 0)
    assert paid.number == f"{customer.invoice_prefix}-0001"
    assert (bool(paid.status_transitions.paid_at), paid.attempt_count) == (True, 1)
    assert paid.payments.data[0].payment.payment_intent.status == "succeeded"
    assert types(client)[-9:] == [
        "invoice.created",
        "payment_intent.created",
        "invoice.finalized",
        "charge.succeeded",
        "charge.updated",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]


def test_a_paid_invoice_is_not_paid_twice(client, customer):
    invoice = client.v1.invoices.pay(draft(client, customer).id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.pay(invoice.id)
    assert refused.value.code == "invoice_already_paid"
    assert len(client.v1.charges.list().data) == 1
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.void_invoice(invoice.id)


def test_numbers_follow_each_other_without_a_gap(client, customer):
    for _ in range(2):
        final(client, customer)
    client.v1.invoices.delete(draft(client, customer).id)
    numbers = [one.number[-4:] for one in client.v1.invoices.list().data]
    assert numbers == ["0002", "0001"]
    assert final(client, customer).number.endswith("0003")


@pytest.mark.parametrize(
    "action", ["finalize_invoice", "pay", "send_invoice", "mark_uncollectible"]
)
def test_a_void_invoice_is_final(client, customer, action):
    invoice = final(client, customer, collection_method="send_invoice", days_until_due=7)
    assert client.v1.invoices.void_invoice(invoice.id).status == "void"
    intent = client.v1.payment_intents.list().data[0]
    assert (intent.status, intent.cancellation_reason) == ("canceled", "void_invoice")
    with pytest.raises(stripe.InvalidRequestError):
        getattr(client.v1.invoices, action)(invoice.id)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.void_invoice(invoice.id)
    assert client.v1.invoices.retrieve(invoice.id).status == "void"


def test_a_final_invoice_changes_its_metadata_only(client, customer):
    invoice = final(client, customer)
    updated = client.v1.invoices.update(invoice.id, {"metadata": {"a": "b"}})
    assert updated.metadata["a"] == "b"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.update(invoice.id, {"description": "x"})
    assert refused.value.code == "invoice_not_editable"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.delete(invoice.id)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.finalize_invoice(invoice.id)
    item = client.v1.invoice_items.list().data[0]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoice_items.delete(item.id)


def test_items_of_a_deleted_draft_wait_again(client, customer):
    invoice = draft(client, customer)
    assert client.v1.invoices.delete(invoice.id).deleted
    assert len(client.v1.invoice_items.list({"pending": True}).data) == 1


def test_a_declined_invoice_stays_open_and_may_be_paid_by_another_card(client, customer):
    with_card(client, customer, "pm_card_chargeCustomerFail")
    invoice = draft(client, customer)
    with pytest.raises(stripe.CardError):
        client.v1.invoices.pay(invoice.id)
    tried = client.v1.invoices.retrieve(invoice.id)
    assert (tried.status, tried.attempt_count, tried.attempted) == ("open", 1, True)
    assert "invoice.payment_failed" in types(client)
    paid = client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.attempt_count) == ("paid", 2)


def test_without_a_payment_method_one_is_told_so(client):
    customer = client.v1.customers.create({"name": "N"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.pay(draft(client, customer).id)
    assert refused.value.code == "resource_missing"


def test_authentication_is_asked_for_and_pays_the_invoice(client, customer):
    with_card(client, customer, "pm_card_authenticationRequired")
    invoice = draft(client, customer)
    with pytest.raises(stripe.CardError) as refused:
        client.v1.invoices.pay(invoice.id)
    assert refused.value.code == "invoice_payment_intent_requires_action"
    assert "invoice.payment_action_required" in types(client)
    intent = client.v1.payment_intents.list().data[0]
    assert intent.status == "requires_action"
    client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"


def test_an_invoice_paid_elsewhere_charges_nobody(client, customer):
    invoice = final(client, customer)
    paid = client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    assert paid.status == "paid"
    assert client.v1.charges.list().data == []
    assert client.v1.payment_intents.list().data[0].status == "canceled"


def test_an_uncollectible_invoice_can_still_be_paid(client, customer):
    invoice = final(client, customer)
    assert client.v1.invoices.mark_uncollectible(invoice.id).status == "uncollectible"
    assert client.v1.invoices.pay(invoice.id).status == "paid"


def test_an_invoice_that_is_sent_has_a_due_date(client, customer):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        draft(client, customer, collection_method="send_invoice")
    assert refused.value.param == "days_until_due"
    invoice = draft(client, customer, collection_method="send_invoice", days_until_due=30)
    sent = client.v1.invoices.send_invoice(invoice.id)
    assert sent.status == "open"
    assert sent.due_date - sent.created in range(30 * 86400, 30 * 86400 + 5)
    assert types(client)[-1] == "invoice.sent"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.send_invoice(final(client, customer).id)


def test_credit_pays_first_and_comes_back_when_the_invoice_is_voided(client, customer):
    client.v1.customers.balance_transactions.create(
        customer.id, {"amount": -500, "currency": "usd"}
    )
    invoice = final(client, customer)
    assert (invoice.total, invoice.amount_due) == (2000, 1500)
    assert (invoice.starting_balance, invoice.ending_balance) == (-500, 0)
    moved = client.v1.customers.balance_transactions.list(customer.id).data[0]
    assert (moved.type, moved.amount, moved.invoice) == ("applied_to_invoice", 500, invoice.id)
    client.v1.invoices.void_invoice(invoice.id)
    assert client.v1.customers.retrieve(customer.id).balance == -500


def test_credit_may_pay_all_of_it(client, customer):
    client.v1.customers.update(customer.id, {"balance": -5000})
    invoice = final(client, customer)
    assert (invoice.status, invoice.amount_due, invoice.ending_balance) == ("paid", 0, -3000)
    assert client.v1.payment_intents.list().data == []


def test_what_is_too_little_for_a_card_waits_for_the_next_invoice(client, customer):
    assert final(client, customer, amount=20).status == "paid"
    assert client.v1.customers.retrieve(customer.id).balance == 20
    assert final(client, customer).amount_due == 2020


def test_discounts_and_taxes_are_reckoned_by_the_line(client, customer):
    rate = {"display_name": "VAT", "percentage": 20}
    on_top = client.v1.tax_rates.create({**rate, "inclusive": False})
    coupon = client.v1.coupons.create({"percent_off": 10})
    for amount in (1000, 505):
        client.v1.invoice_items.create(
            {"customer": customer.id, "amount": amount, "currency": "usd"}
        )
    invoice = client.v1.invoices.create(
        {
            "customer": customer.id,
            "pending_invoice_items_behavior": "include",
            "discounts": [{"coupon": coupon.id}],
            "default_tax_rates": [on_top.id],
            "expand": ["discounts.source.coupon", "total_discount_amounts.discount"],
        }
    )
    assert invoice.subtotal == 1505
    assert invoice.total_discount_amounts[0].amount == 151  # 100 and 50.5, each rounded
    assert invoice.total_taxes[0].amount == 271  # 20 % of 900 and of 454, each rounded
    assert invoice.total == 1505 - 151 + 271
    assert invoice.total_excluding_tax == 1354
    assert invoice.discounts[0].source.coupon.percent_off == 10


def test_an_inclusive_tax_is_inside_of_the_amount(client, customer):
    rate = client.v1.tax_rates.create({"display_name": "MwSt", "percentage": 19, "inclusive": True})
    invoice = draft(client, customer, 11900, default_tax_rates=[rate.id])
    assert (invoice.total, invoice.total_taxes[0].amount) == (11900, 1900)
    assert (invoice.subtotal_excluding_tax, invoice.total_excluding_tax) == (10000, 10000)


def test_an_exempt_customer_pays_no_tax(client, customer):
    client.v1.customers.update(customer.id, {"tax_exempt": "exempt"})
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False})
    assert draft(client, customer, default_tax_rates=[rate.id]).total == 2000


def test_an_intent_made_for_itself_may_pay_an_invoice(client, customer):
    invoice = final(client, customer)
    intent = client.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": customer.invoice_settings.default_payment_method,
            "confirm": True,
            "off_session": True,
            "payment_method_types": ["card"],
        }
    )
    paid = client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intent.id})
    assert paid.status == "paid"
    payments = client.v1.invoice_payments.list({"invoice": invoice.id}).data
    assert [one.status for one in payments] == ["paid", "canceled"]
    only = client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    )
    assert [one.invoice for one in only.data] == [invoice.id]

"""Refusals that need more than one object, each of which would let money or rights go wrong."""

import pytest
import stripe

from tests.simulator.billing import monthly, move, new_clock, seconds, subscribe, with_card

REFUSED = stripe.InvalidRequestError


def invoice_of(client, customer, *amounts, pay=False):
    for amount in amounts:
        client.v1.invoice_items.create(
            {"customer": customer.id, "amount": amount, "currency": "usd"}
        )
    made = client.v1.invoices.create(
        {"customer": customer.id, "pending_invoice_items_behavior": "include"}
    )
    service = client.v1.invoices
    return service.pay(made.id) if pay else service.finalize_invoice(made.id)


def test_a_line_is_not_credited_twice(client):
    invoice = invoice_of(client, with_card(client), 1000, 3000, pay=True)
    line = {"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id}
    params = {"invoice": invoice.id, "lines": [{**line, "amount": 1000}], "credit_amount": 1000}
    client.v1.credit_notes.create(params)
    with pytest.raises(REFUSED) as refused:
        client.v1.credit_notes.create(params)
    assert refused.value.param == "lines[0]"


def test_a_credit_note_that_gave_money_back_stays(client):
    invoice = invoice_of(client, with_card(client), 1000, pay=True)
    note = client.v1.credit_notes.create(
        {"invoice": invoice.id, "amount": 1000, "refund_amount": 1000}
    )
    with pytest.raises(REFUSED):
        client.v1.credit_notes.void_credit_note(note.id)
    assert client.v1.credit_notes.retrieve(note.id).status == "issued"


def test_a_code_for_first_orders_is_for_those_who_never_paid(client):
    coupon = client.v1.coupons.create({"percent_off": 10})
    code = client.v1.promotion_codes.create(
        {
            "promotion": {"type": "coupon", "coupon": coupon.id},
            "restrictions": {"first_time_transaction": True},
        }
    )
    discounts = [{"promotion_code": code.id}]
    customer = with_card(client)
    assert subscribe(client, customer, discounts=discounts).status == "active"
    with pytest.raises(REFUSED) as refused:
        subscribe(client, customer, discounts=discounts)
    assert refused.value.code == "promotion_code_not_redeemable"


def test_a_clock_that_advances_is_not_advanced(client, world):
    clock = new_clock(client)
    with world.transaction() as tx:
        tx.get("test_helpers.test_clock", clock.id)["status"] = "advancing"
    with pytest.raises(stripe.StripeError) as refused:
        client.v1.test_helpers.test_clocks.advance(
            clock.id, {"frozen_time": clock.frozen_time + 60}
        )
    assert refused.value.http_status == 429


def test_a_proration_is_inside_of_the_period(client):
    clock = new_clock(client, "2026-04-10")
    made = subscribe(client, with_card(client, test_clock=clock.id))
    items = [{"id": made["items"].data[0].id, "quantity": 2}]
    for day in ("2026-04-09", "2026-05-11"):
        with pytest.raises(REFUSED) as refused:
            client.v1.subscriptions.update(
                made.id, {"items": items, "proration_date": seconds(day)}
            )
        assert refused.value.param == "proration_date"


def test_an_item_is_changed_by_its_own_subscription_only(client):
    customer = with_card(client)
    mine, other = subscribe(client, customer), subscribe(client, customer)
    items = [{"id": other["items"].data[0].id, "quantity": 9}]
    with pytest.raises(REFUSED):
        client.v1.subscriptions.update(mine.id, {"items": items})
    assert client.v1.subscription_items.retrieve(items[0]["id"]).quantity == 1


@pytest.mark.parametrize(("amount", "is_mine"), [(999, True), (1000, False)])
def test_an_intent_of_another_amount_or_customer_pays_no_invoice(client, amount, is_mine):
    customer, other = with_card(client), with_card(client)
    invoice = invoice_of(client, customer, 1000)
    payer = customer if is_mine else other
    intent = client.v1.payment_intents.create(
        {"amount": amount, "currency": "usd", "customer": payer.id}
    )
    with pytest.raises(REFUSED) as refused:
        client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intent.id})
    assert refused.value.param == "payment_intent"


def test_another_customers_card_is_nobodys_default(client):
    customer, other = with_card(client), with_card(client)
    card = other.invoice_settings.default_payment_method
    with pytest.raises(REFUSED) as refused:
        subscribe(client, customer, default_payment_method=card)
    assert refused.value.param == "default_payment_method"
    with pytest.raises(REFUSED):
        client.v1.invoices.create({"customer": customer.id, "default_payment_method": card})


def test_an_archived_tax_rate_is_added_to_nothing_new(client):
    rate = client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 20, "inclusive": False, "active": False}
    )
    with pytest.raises(REFUSED):
        subscribe(client, with_card(client), default_tax_rates=[rate.id])


def test_an_older_invoice_that_is_paid_does_not_end_being_past_due(client, world):
    clock = new_clock(client, "2026-01-01")
    customer = with_card(client, test_clock=clock.id)
    made = subscribe(client, customer, items=[{"price": monthly(client).id}])
    with_card(client, "pm_card_chargeCustomerFail", customer=customer)
    move(client, world, clock, days=32)
    older = client.v1.subscriptions.retrieve(made.id).latest_invoice
    client.v1.subscriptions.update(
        made.id,
        {
            "items": [{"id": made["items"].data[0].id, "quantity": 2}],
            "proration_behavior": "always_invoice",
        },
    )
    with_card(client, customer=customer)
    assert client.v1.invoices.pay(older).status == "paid"
    owing = client.v1.subscriptions.retrieve(made.id)
    assert owing.status == "past_due"
    assert client.v1.invoices.pay(owing.latest_invoice).status == "paid"
    assert client.v1.subscriptions.retrieve(made.id).status == "active"


def test_items_of_a_canceled_subscription_stay_as_they_are(client):
    made = subscribe(client, with_card(client))
    client.v1.subscriptions.cancel(made.id)
    item = made["items"].data[0].id
    with pytest.raises(REFUSED):
        client.v1.subscription_items.update(item, {"quantity": 5})
    assert client.v1.subscription_items.retrieve(item).quantity == 1

"""Subscriptions from their beginning to their end, in the scenarios of Stripe's documentation."""

import pytest
import stripe

from tests.simulator.billing import monthly, move, new_clock, subscribe, types, with_card


def test_a_subscription_is_paid_and_active(client):
    customer = with_card(client)
    subscription = subscribe(client, customer, expand=["latest_invoice.payments"])
    assert subscription.status == "active"
    invoice = subscription.latest_invoice
    assert (invoice.status, invoice.billing_reason) == ("paid", "subscription_create")
    assert invoice.parent.subscription_details.subscription == subscription.id
    line = invoice.lines.data[0]
    assert line.parent.subscription_item_details.subscription == subscription.id
    assert line.pricing.price_details.price == subscription["items"].data[0].price.id
    assert invoice.payments.data[0].status == "paid"
    told = types(client)
    assert told.index("customer.subscription.created") < told.index("invoice.paid")
    assert told[-1] == "customer.subscription.updated"


def test_a_declined_first_payment_leaves_it_incomplete_until_it_is_paid(client):
    customer = with_card(client, "pm_card_chargeCustomerFail")
    subscription = subscribe(client, customer)
    assert subscription.status == "incomplete"
    invoice = client.v1.invoices.retrieve(subscription.latest_invoice)
    assert (invoice.status, invoice.next_payment_attempt) == ("open", None)
    client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_an_incomplete_subscription_expires_after_23_hours(client, world):
    clock = new_clock(client)
    customer = with_card(client, "pm_card_chargeCustomerFail", test_clock=clock.id)
    subscription = subscribe(client, customer)
    move(client, world, clock, hours=24)
    expired = client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert expired.status == "incomplete_expired"
    assert expired.latest_invoice.status == "void"


def test_error_if_incomplete_leaves_nothing_behind(client):
    customer = with_card(client, "pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError):
        subscribe(client, customer, payment_behavior="error_if_incomplete")
    assert client.v1.subscriptions.list({"status": "all"}).data == []
    assert client.v1.invoices.list().data == []
    assert client.v1.charges.list().data == []
    asks = with_card(client, "pm_card_authenticationRequired")
    with pytest.raises(stripe.CardError) as refused:
        subscribe(client, asks, payment_behavior="error_if_incomplete")
    assert refused.value.code == "subscription_payment_intent_requires_action"


def test_default_incomplete_waits_for_the_browser_to_confirm(client):
    customer = client.v1.customers.create({"name": "N"})
    subscription = subscribe(
        client,
        customer,
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.confirmation_secret"],
    )
    assert subscription.status == "incomplete"
    secret = subscription.latest_invoice.confirmation_secret.client_secret
    client.v1.payment_intents.confirm(
        secret.split("_secret_")[0],
        {"payment_method": "pm_card_visa", "return_url": "http://localhost/"},
    )
    active = client.v1.subscriptions.retrieve(subscription.id)
    assert (active.status, bool(active.default_payment_method)) == ("active", True)


def test_authentication_keeps_it_incomplete(client):
    customer = with_card(client, "pm_card_authenticationRequired")
    subscription = subscribe(client, customer)
    assert subscription.status == "incomplete"
    assert "invoice.payment_action_required" in types(client)


def test_without_a_payment_method_it_is_refused(client):
    customer = client.v1.customers.create({"name": "N"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        subscribe(client, customer)
    assert refused.value.code == "resource_missing"


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"items": []}, "items"),
        ({"collection_method": "send_invoice"}, "days_until_due"),
        ({"days_until_due": 3}, "days_until_due"),
        ({"trial_end": 1}, "trial_end"),
        ({"billing_cycle_anchor": 99_999_999_999}, "billing_cycle_anchor"),
        ({"cancel_at": 1}, "cancel_at"),
        ({"payment_behavior": "pending_if_incomplete"}, "payment_behavior"),
    ],
)
def test_what_does_not_fit_is_refused(client, params, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        subscribe(client, with_card(client), **params)
    assert refused.value.param == param


def test_a_trial_costs_nothing_and_asks_for_a_payment_method(client):
    customer = client.v1.customers.create({"name": "N"})
    subscription = subscribe(client, customer, trial_period_days=14, expand=["latest_invoice"])
    assert subscription.status == "trialing"
    assert subscription.trial_end - subscription.trial_start == 14 * 86400
    assert (subscription.latest_invoice.total, subscription.latest_invoice.status) == (0, "paid")
    assert subscription.pending_setup_intent is not None
    client.v1.setup_intents.confirm(
        subscription.pending_setup_intent,
        {"payment_method": "pm_card_visa", "return_url": "http://localhost/"},
    )
    ready = client.v1.subscriptions.retrieve(subscription.id)
    assert (ready.pending_setup_intent, bool(ready.default_payment_method)) == (None, True)


def test_a_trial_with_a_card_is_billed_at_its_end_after_notice(client, world):
    clock = new_clock(client)
    customer = with_card(client, test_clock=clock.id)
    subscription = subscribe(client, customer, trial_period_days=14)
    move(client, world, clock, days=12)
    assert types(client).count("customer.subscription.trial_will_end") == 1
    move(client, world, clock, days=3)
    active = client.v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert (active.status, active.latest_invoice.amount_paid) == ("active", 1500)
    assert active.latest_invoice.billing_reason == "subscription_cycle"
    assert active.billing_cycle_anchor == subscription.trial_end
    assert types(client).count("customer.subscription.trial_will_end") == 1


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")],
)
def test_a_trial_without_a_card_ends_as_was_wanted(client, world, behavior, status):
    clock = new_clock(client)
    customer = client.v1.customers.create({"name": "N", "test_clock": clock.id})
    settings = {"end_behavior": {"missing_payment_method": behavior}}
    subscription = subscribe(client, customer, trial_period_days=7, trial_settings=settings)
    move(client, world, clock, days=8)
    assert client.v1.subscriptions.retrieve(subscription.id).status == status


def test_a_paused_subscription_is_resumed_by_a_payment(client):
    customer = client.v1.customers.create({"name": "N"})
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    made = subscribe(client, customer, trial_period_days=7, trial_settings=settings)
    assert client.v1.subscriptions.update(made.id, {"trial_end": "now"}).status == "paused"
    assert "customer.subscription.paused" in types(client)
    with_card(client, customer=customer)
    resumed = client.v1.subscriptions.resume(made.id, {"expand": ["latest_invoice"]})
    assert (resumed.status, resumed.latest_invoice.status) == ("active", "paid")
    assert "customer.subscription.resumed" in types(client)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscriptions.resume(made.id)


def test_invoices_that_are_sent_leave_it_active_until_they_are_overdue(client, world):
    clock = new_clock(client)
    customer = client.v1.customers.create({"name": "N", "test_clock": clock.id})
    terms = {"collection_method": "send_invoice", "days_until_due": 5}
    subscription = subscribe(client, customer, **terms, expand=["latest_invoice"])
    assert (subscription.status, subscription.latest_invoice.status) == ("active", "draft")
    move(client, world, clock, hours=2)
    sent = client.v1.invoices.retrieve(subscription.latest_invoice.id)
    assert sent.status == "open"
    assert "invoice.sent" in types(client)
    move(client, world, clock, days=6)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    assert "invoice.overdue" in types(client)
    client.v1.invoices.pay(sent.id, {"paid_out_of_band": True})
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_prices_of_different_intervals_or_currencies_are_refused(client):
    customer = with_card(client)
    month, year = monthly(client), monthly(client, interval="year")
    euro = monthly(client, currency="eur")
    for other in (year, euro, month):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            subscribe(client, customer, items=[{"price": month.id}, {"price": other.id}])
        assert refused.value.param == "items"


def test_a_discount_is_for_one_invoice_for_some_months_or_for_ever(client, world):
    clock = new_clock(client, "2026-01-10")
    customer = with_card(client, test_clock=clock.id)
    once = client.v1.coupons.create({"percent_off": 50})
    two = client.v1.coupons.create(
        {"percent_off": 20, "duration": "repeating", "duration_in_months": 2}
    )
    discounts = [{"coupon": once.id}, {"coupon": two.id}]
    made = subscribe(client, customer, discounts=discounts)
    for _ in range(3):
        move(client, world, clock, days=31)
    invoices = client.v1.invoices.list({"subscription": made.id}).data[::-1]
    assert [one.total for one in invoices] == [600, 1200, 1500, 1500]
    assert types(client).count("customer.discount.created") == 2


def test_a_customers_discount_is_taken_if_the_subscription_has_none(client):
    customer = with_card(client)
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "forever"})
    client.raw_request("post", f"/v1/customers/{customer.id}", coupon=coupon.id)
    made = subscribe(client, customer, expand=["latest_invoice"])
    assert made.latest_invoice.total == 1350

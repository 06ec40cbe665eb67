"""Subscriptions, invoices, coupons, taxes, credit notes, schedules, quotes, test clocks."""

from tests.simulator.conformance.scenarios import DAY, GOOD, Shop, scenario

SUCCESS = "http://127.0.0.1:1/success"
START = 1_770_000_000


@scenario("billing/subscriptions/build-subscriptions")
def a_subscription_is_paid_and_canceled(shop: Shop) -> None:
    customer = shop.customer("pm_card_visa")
    price = shop.price(interval="month")
    made = shop.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id}],
            "expand": ["latest_invoice.payments"],
        }
    )
    assert (made.status, made.latest_invoice.status) == ("active", "paid")
    assert made.latest_invoice.amount_paid == 1500
    item = made["items"].data[0]
    assert item.current_period_end > item.current_period_start
    kept = shop.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert kept.cancel_at_period_end
    assert shop.v1.subscriptions.cancel(made.id).status == "canceled"
    assert shop.types()[-1] == "customer.subscription.deleted"


@scenario("billing/subscriptions/build-subscriptions?payment-ui=checkout")
def checkout_starts_a_subscription(shop: Shop) -> None:
    session = shop.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": shop.price(interval="month").id, "quantity": 2}],
            "success_url": SUCCESS,
            "subscription_data": {"metadata": {"org": "7"}},
        }
    )
    assert shop.press(session.url, GOOD) == SUCCESS
    done = shop.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert done.subscription.status == "active"
    assert done.subscription.metadata["org"] == "7"
    assert done.subscription["items"].data[0].quantity == 2
    assert done.customer == done.subscription.customer


@scenario("customer-management/portal-deep-links#subscription-cancel")
def the_portal_changes_and_cancels_a_plan(shop: Shop) -> None:
    customer = shop.customer("pm_card_visa")
    cheap, dear = shop.price(1000, "month"), shop.price(3000, "month")
    made = shop.v1.subscriptions.create({"customer": customer.id, "items": [{"price": cheap.id}]})
    portal = shop.v1.billing_portal.sessions.create({"customer": customer.id})
    shop.visit(f"{portal.url}/change/{made.id}", price=dear.id)
    found = shop.v1.subscriptions.retrieve(made.id)
    assert found["items"].data[0].price.id == dear.id
    link = shop.v1.billing_portal.sessions.create(
        {
            "customer": customer.id,
            "flow_data": {
                "type": "subscription_cancel",
                "subscription_cancel": {"subscription": made.id},
            },
        }
    )
    step = shop.visit(link.url)[2]
    shop.visit(step, feedback="unused")
    assert shop.v1.subscriptions.retrieve(made.id).cancel_at_period_end


@scenario("billing/testing/test-clocks")
def a_clock_moves_a_subscription(shop: Shop) -> None:
    clock = shop.v1.test_helpers.test_clocks.create({"frozen_time": START})
    customer = shop.customer("pm_card_visa", test_clock=clock.id)
    made = shop.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": shop.price(interval="month").id}]}
    )
    shop.advance(clock.id, START + 32 * DAY)
    found = shop.v1.invoices.list({"subscription": made.id})
    assert [invoice.billing_reason for invoice in found.data] == [
        "subscription_cycle",
        "subscription_create",
    ]


@scenario("billing/subscriptions/trials")
def a_trial_ends_and_is_billed(shop: Shop) -> None:
    clock = shop.v1.test_helpers.test_clocks.create({"frozen_time": START})
    customer = shop.customer("pm_card_visa", test_clock=clock.id)
    made = shop.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": shop.price(interval="month").id}],
            "trial_period_days": 14,
        }
    )
    assert made.status == "trialing"
    shop.advance(clock.id, START + 12 * DAY)
    assert "customer.subscription.trial_will_end" in shop.types()
    shop.advance(clock.id, START + 15 * DAY)
    assert shop.v1.subscriptions.retrieve(made.id).status == "active"


@scenario("billing/subscriptions/overview#subscription-statuses")
def a_declined_renewal_is_past_due(shop: Shop) -> None:
    clock = shop.v1.test_helpers.test_clocks.create({"frozen_time": START})
    customer = shop.customer("pm_card_visa", test_clock=clock.id)
    made = shop.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": shop.price(interval="month").id}]}
    )
    bad = shop.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    settings = {"invoice_settings": {"default_payment_method": bad.id}}
    shop.v1.customers.update(customer.id, settings)
    shop.advance(clock.id, START + 33 * DAY)
    assert shop.v1.subscriptions.retrieve(made.id).status == "past_due"
    assert "invoice.payment_failed" in shop.types()


@scenario("billing/subscriptions/prorations")
def an_upgrade_is_prorated(shop: Shop) -> None:
    customer = shop.customer("pm_card_visa")
    cheap, dear = shop.price(1000, "month"), shop.price(3000, "month")
    made = shop.v1.subscriptions.create({"customer": customer.id, "items": [{"price": cheap.id}]})
    item = made["items"].data[0].id
    shop.v1.subscriptions.update(
        made.id,
        {
            "items": [{"id": item, "price": dear.id}],
            "proration_behavior": "always_invoice",
        },
    )
    newest = shop.v1.invoices.list({"subscription": made.id}).data[0]
    assert newest.billing_reason == "subscription_update"
    assert 0 < newest.total <= 2000


@scenario("invoicing/integration")
def an_invoice_is_drafted_finalized_and_paid(shop: Shop) -> None:
    customer = shop.customer("pm_card_visa")
    invoice = shop.v1.invoices.create({"customer": customer.id, "auto_advance": False})
    assert invoice.status == "draft"
    shop.v1.invoice_items.create(
        {
            "customer": customer.id,
            "invoice": invoice.id,
            "amount": 2500,
            "currency": "usd",
            "description": "Consulting",
        }
    )
    opened = shop.v1.invoices.finalize_invoice(invoice.id)
    assert (opened.status, opened.amount_due) == ("open", 2500)
    paid = shop.v1.invoices.pay(invoice.id, {"expand": ["payments"]})
    assert (paid.status, paid.amount_remaining) == ("paid", 0)
    assert paid.payments.data[0].status == "paid"
    assert shop.v1.invoices.line_items.list(invoice.id).data[0].amount == 2500
    assert "invoice.paid" in shop.types()


@scenario("invoicing/overview#invoice-statuses")
def an_invoice_is_voided_or_given_up(shop: Shop) -> None:
    customer = shop.customer()
    given = {"customer": customer.id, "amount": 700, "currency": "usd"}
    for end, status in (("void_invoice", "void"), ("mark_uncollectible", "uncollectible")):
        shop.v1.invoice_items.create(given)
        invoice = shop.v1.invoices.create(
            {
                "customer": customer.id,
                "collection_method": "send_invoice",
                "days_until_due": 30,
                "pending_invoice_items_behavior": "include",
            }
        )
        shop.v1.invoices.finalize_invoice(invoice.id)
        assert getattr(shop.v1.invoices, end)(invoice.id).status == status


@scenario("invoicing/dashboard/credit-notes")
def a_credit_note_gives_back(shop: Shop) -> None:
    customer = shop.customer("pm_card_visa")
    shop.v1.invoice_items.create({"customer": customer.id, "amount": 900, "currency": "usd"})
    invoice = shop.v1.invoices.create(
        {"customer": customer.id, "pending_invoice_items_behavior": "include"}
    )
    shop.v1.invoices.finalize_invoice(invoice.id)
    note = shop.v1.credit_notes.create({"invoice": invoice.id, "amount": 400})
    assert (note.status, note.total) == ("issued", 400)
    assert shop.v1.credit_notes.void_credit_note(note.id).status == "void"


@scenario("billing/subscriptions/coupons")
def a_coupon_takes_off_and_a_code_redeems_it(shop: Shop) -> None:
    coupon = shop.v1.coupons.create({"percent_off": 20, "duration": "once"})
    code = shop.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SPRING"}
    )
    assert shop.v1.promotion_codes.list({"code": "SPRING"}).data[0].id == code.id
    customer = shop.customer("pm_card_visa")
    made = shop.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": shop.price(interval="month").id}],
            "discounts": [{"coupon": coupon.id}],
            "expand": ["latest_invoice"],
        }
    )
    assert made.latest_invoice.total == 1200
    session = shop.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": shop.price().id, "quantity": 1}],
            "discounts": [{"promotion_code": code.id}],
            "success_url": SUCCESS,
        }
    )
    assert (session.amount_total, session.total_details.amount_discount) == (1200, 300)


@scenario("tax/tax-rates")
def tax_rates_are_added(shop: Shop) -> None:
    rate = shop.v1.tax_rates.create({"display_name": "VAT", "inclusive": False, "percentage": 19})
    session = shop.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": shop.price().id, "quantity": 1, "tax_rates": [rate.id]}],
            "success_url": SUCCESS,
        }
    )
    assert (session.amount_total, session.total_details.amount_tax) == (1785, 285)
    assert not shop.v1.tax_rates.update(rate.id, {"active": False}).active


@scenario("billing/subscriptions/pause-payment")
def collection_is_paused(shop: Shop) -> None:
    customer = shop.customer("pm_card_visa")
    made = shop.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": shop.price(interval="month").id}]}
    )
    paused = shop.v1.subscriptions.update(made.id, {"pause_collection": {"behavior": "void"}})
    assert paused.pause_collection.behavior == "void"
    assert shop.v1.subscriptions.update(made.id, {"pause_collection": ""}).pause_collection is None


@scenario("billing/subscriptions/subscription-schedules")
def a_schedule_is_made_and_released(shop: Shop) -> None:
    customer = shop.customer("pm_card_visa")
    items = [{"price": shop.price(interval="month").id, "quantity": 1}]
    schedule = shop.v1.subscription_schedules.create(
        {
            "customer": customer.id,
            "start_date": "now",
            "phases": [{"items": items, "duration": {"interval": "month", "interval_count": 1}}],
        }
    )
    assert schedule.status == "active"
    released = shop.v1.subscription_schedules.release(schedule.id)
    assert (released.status, released.released_subscription) == ("released", schedule.subscription)


@scenario("quotes")
def a_quote_becomes_a_subscription(shop: Shop) -> None:
    customer = shop.customer("pm_card_visa")
    lines = [{"price": shop.price(interval="month").id, "quantity": 10}]
    quote = shop.v1.quotes.create({"customer": customer.id, "line_items": lines})
    assert (quote.status, quote.amount_total) == ("draft", 15_000)
    assert shop.v1.quotes.finalize_quote(quote.id).status == "open"
    accepted = shop.v1.quotes.accept(quote.id)
    assert accepted.status == "accepted"
    assert shop.v1.subscriptions.retrieve(accepted.subscription).status == "active"
    assert shop.v1.quotes.line_items.list(quote.id).data[0].quantity == 10

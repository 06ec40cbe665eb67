"""Accept a payment, save a card, Checkout, payment links, the portal."""

from tests.simulator.conformance.scenarios import ASKS, DECLINED, GOOD, POOR, Shop, scenario

SUCCESS = "http://127.0.0.1:1/success?session_id={CHECKOUT_SESSION_ID}"


@scenario("payments/payment-intents")
def the_lifecycle_of_a_payment_intent(shop: Shop) -> None:
    intent = shop.v1.payment_intents.create({"amount": 1099, "currency": "usd"})
    assert intent.status == "requires_payment_method"
    changed = shop.v1.payment_intents.update(intent.id, {"payment_method": "pm_card_visa"})
    assert changed.status == "requires_confirmation"
    given = {"return_url": "http://127.0.0.1:1/back"}
    done = shop.v1.payment_intents.confirm(intent.id, given)
    assert (done.status, done.amount_received) == ("succeeded", 1099)
    assert shop.types()[-1] == "payment_intent.succeeded"


@scenario("payments/place-a-hold-on-a-payment-method")
def money_is_held_and_captured_later(shop: Shop) -> None:
    held = shop.pay(capture_method="manual")
    assert (held.status, held.amount_capturable) == ("requires_capture", 2000)
    taken = shop.v1.payment_intents.capture(held.id, {"amount_to_capture": 750})
    assert (taken.status, taken.amount_received) == ("succeeded", 750)


@scenario("payments/save-and-reuse")
def a_card_is_saved_and_charged_while_the_customer_is_away(shop: Shop) -> None:
    customer = shop.customer()
    setup = shop.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "payment_method_types": ["card"],
            "confirm": True,
        }
    )
    assert setup.status == "succeeded"
    saved = shop.v1.customers.payment_methods.list(customer.id).data
    assert [method.id for method in saved] == [setup.payment_method]
    later = shop.pay(saved[0].id, customer=customer.id, off_session=True)
    assert later.status == "succeeded"


@scenario("payments/save-and-reuse#charge-saved-payment-method")
def an_absent_customer_who_must_authenticate_is_asked_to_come_back(shop: Shop) -> None:
    customer = shop.customer("pm_card_authenticationRequired")
    saved = customer.invoice_settings.default_payment_method
    error = shop.refusal(lambda: shop.pay(saved, customer=customer.id, off_session=True))
    assert error.code == "authentication_required"
    intent = error.error.payment_intent
    assert intent.status == "requires_payment_method"
    again = shop.v1.payment_intents.confirm(
        intent.id, {"payment_method": saved, "return_url": "http://127.0.0.1:1/back"}
    )
    assert again.status == "requires_action"
    shop.visit(again.next_action.redirect_to_url.url, outcome="succeeds")
    assert shop.v1.payment_intents.retrieve(intent.id).status == "succeeded"


@scenario("testing#declined-payments")
def every_declined_card_says_why(shop: Shop) -> None:
    for method, code, decline in (
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ):
        error = shop.refusal(shop.pay, method)
        assert (error.http_status, error.code) == (402, code), method
        assert error.error.decline_code == decline, method
        charge = shop.v1.charges.retrieve(error.error.charge)
        assert (charge.status, charge.paid) == ("failed", False)


@scenario("payments/sepa-debit/accept-a-payment")
def a_debit_is_processing_before_it_is_paid(shop: Shop) -> None:
    method = shop.v1.payment_methods.create(
        {
            "type": "sepa_debit",
            "sepa_debit": {"iban": "AT611904300234573201"},
            "billing_details": {"name": "Jenny", "email": "jenny@example.com"},
        }
    )
    intent = shop.v1.payment_intents.create(
        {
            "amount": 1000,
            "currency": "eur",
            "payment_method": method.id,
            "payment_method_types": ["sepa_debit"],
            "confirm": True,
        }
    )
    assert intent.status == "processing"
    shop.visit(f"{shop.url}/_sim/clock", seconds=60)
    assert shop.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def _session(shop: Shop, **more: object) -> object:
    lines = [{"price": shop.price().id, "quantity": 2}]
    given = {"mode": "payment", "line_items": lines, "success_url": SUCCESS, **more}
    return shop.v1.checkout.sessions.create(given)


@scenario("checkout/quickstart")
def checkout_takes_a_payment(shop: Shop) -> None:
    session = _session(shop, expand=["line_items.data.price.product"])
    assert session.line_items.data[0].price.product.name == "Gold"
    assert shop.press(session.url, DECLINED) is None
    assert shop.press(session.url, POOR) is None
    assert shop.press(session.url, GOOD) == SUCCESS.replace("{CHECKOUT_SESSION_ID}", session.id)
    done = shop.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert done.payment_intent.amount_received == done.amount_total == 3000
    assert shop.types()[-1] == "checkout.session.completed"


@scenario("payments/3d-secure")
def checkout_leads_to_the_bank_and_back(shop: Shop) -> None:
    session = _session(shop)
    bank = shop.press(session.url, ASKS)
    back = shop.visit(bank, outcome="fails")[2]
    assert shop.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert "unable to authenticate" in shop.visit(back)[1]
    bank = shop.press(session.url, ASKS)
    shop.visit(bank, outcome="succeeds")
    assert shop.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


@scenario("payments/checkout/managing-limited-inventory")
def a_session_expires(shop: Shop) -> None:
    session = _session(shop)
    assert shop.v1.checkout.sessions.expire(session.id).status == "expired"
    assert shop.types()[-1] == "checkout.session.expired"
    assert shop.visit(session.url)[0] == 410


@scenario("payments/save-during-payment")
def checkout_saves_a_card_for_later(shop: Shop) -> None:
    customer = shop.customer()
    data = {"setup_future_usage": "off_session"}
    session = _session(shop, customer=customer.id, payment_intent_data=data)
    shop.press(session.url)
    saved = shop.v1.customers.payment_methods.list(customer.id).data[0]
    assert shop.pay(saved.id, customer=customer.id, off_session=True).status == "succeeded"


@scenario("payments/checkout/save-and-reuse")
def checkout_saves_a_card_without_a_payment(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.v1.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "customer": customer.id, "success_url": SUCCESS}
    )
    shop.press(session.url)
    done = shop.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert done.setup_intent.status == "succeeded"
    assert len(shop.v1.customers.payment_methods.list(customer.id).data) == 1


@scenario("payments/during-payment/charge-shipping")
def checkout_adds_shipping(shop: Shop) -> None:
    rate = shop.v1.shipping_rates.create(
        {
            "display_name": "Ground shipping",
            "type": "fixed_amount",
            "fixed_amount": {"amount": 500, "currency": "usd"},
        }
    )
    session = _session(shop, shipping_options=[{"shipping_rate": rate.id}])
    assert (session.amount_total, session.shipping_cost.amount_total) == (3500, 500)


@scenario("payment-links/create")
def a_payment_link_sells(shop: Shop) -> None:
    lines = [{"price": shop.price().id, "quantity": 1}]
    link = shop.v1.payment_links.create({"line_items": lines})
    page = shop.visit(link.url)[2]
    shop.press(page)
    session = shop.v1.checkout.sessions.list({"payment_link": link.id}).data[0]
    assert session.payment_status == "paid"
    shop.v1.payment_links.update(link.id, {"active": False})
    assert shop.visit(link.url)[0] == 410


@scenario("customer-management/portal-deep-links")
def the_portal_takes_a_card_and_leads_back(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.v1.billing_portal.sessions.create(
        {
            "customer": customer.id,
            "flow_data": {
                "type": "payment_method_update",
                "after_completion": {
                    "type": "redirect",
                    "redirect": {"return_url": "http://127.0.0.1:1/account"},
                },
            },
        }
    )
    step = shop.visit(session.url)[2]
    assert shop.visit(step, card=GOOD)[2] == "http://127.0.0.1:1/account"
    found = shop.v1.customers.retrieve(customer.id)
    assert found.invoice_settings.default_payment_method is not None


@scenario("customer-management/configure-portal")
def a_portal_is_configured(shop: Shop) -> None:
    made = shop.v1.billing_portal.configurations.create(
        {
            "business_profile": {"headline": "Cactus Practice"},
            "features": {"invoice_history": {"enabled": True}},
        }
    )
    off = shop.v1.billing_portal.configurations.update(made.id, {"active": False})
    assert not off.active
    customer = shop.customer()
    given = {"customer": customer.id, "configuration": made.id}
    assert shop.refusal(shop.v1.billing_portal.sessions.create, given).param == "configuration"

"""What Checkout bills: subscriptions, trials, discounts, taxes, invoices of single payments."""

import re

import pytest
import stripe

from simulator.resources.payments import intents
from tests.simulator.browsing import visit
from tests.simulator.test_checkout import ASKS, DECLINED, SUCCESS, make, press, price, types

__all__ = ["make", "price"]  # fixtures


@pytest.fixture
def monthly(client):
    return client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 2000,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Plan"},
        }
    )


@pytest.fixture
def subscribe(client, monthly):
    def subscribe(**more):
        lines = [{"price": monthly.id, "quantity": 1}]
        given = {"mode": "subscription", "line_items": lines, "success_url": SUCCESS, **more}
        return client.v1.checkout.sessions.create(given)

    return subscribe


class TestASubscription:
    def test_is_paid_and_goes_on_with_the_card(self, client, subscribe):
        session = subscribe(subscription_data={"metadata": {"org": "7"}, "description": "D"})
        assert session.amount_total == 2000
        assert press(session.url)[0] == 303
        done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
        made = done.subscription
        assert (made.status, made.metadata["org"], made.description) == ("active", "7", "D")
        assert made.default_payment_method is not None
        method = client.v1.payment_methods.retrieve(made.default_payment_method)
        assert method.customer == done.customer == made.customer
        assert done.invoice == made.latest_invoice
        assert client.v1.invoices.retrieve(done.invoice).status == "paid"
        assert types(client)[-1] == "checkout.session.completed"

    def test_after_a_decline_another_card_pays_the_same_one(self, client, subscribe):
        session = subscribe()
        assert press(session.url, DECLINED)[0] == 402
        assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
        press(session.url)
        found = client.v1.subscriptions.list({"status": "all"}).data
        assert [one.status for one in found] == ["active"]
        assert len(client.v1.customers.list().data) == 1

    def test_begins_after_authentication(self, client, subscribe):
        session = subscribe()
        bank = press(session.url, ASKS)[2]
        assert client.v1.subscriptions.list({"status": "all"}).data[0].status == "incomplete"
        visit(bank, outcome="succeeds")
        assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"
        assert client.v1.subscriptions.list().data[0].status == "active"

    def test_with_a_trial_saves_the_card_and_charges_nothing(self, client, subscribe):
        session = subscribe(subscription_data={"trial_period_days": 14})
        assert session.amount_total == 0
        press(session.url)
        done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
        assert (done.payment_status, done.subscription.status) == (
            "no_payment_required",
            "trialing",
        )
        assert done.subscription.default_payment_method is not None
        assert client.v1.charges.list().data == []

    def test_that_was_never_paid_ends_with_the_session(self, client, subscribe):
        session = subscribe()
        press(session.url, DECLINED)
        client.v1.checkout.sessions.expire(session.id)
        found = client.v1.subscriptions.list({"status": "all"}).data
        assert [one.status for one in found] in (["incomplete_expired"], ["canceled"])

    def test_is_paid_before_the_session_ends_whoever_was_imported_first(
        self, client, subscribe, monkeypatch
    ):
        monkeypatch.setattr(intents, "ON_SUCCESS", intents.ON_SUCCESS[::-1])
        press(subscribe().url)
        told = types(client)
        assert told.index("invoice.paid") < told.index("checkout.session.completed")

    def test_in_a_trial_ends_with_the_session_too(self, client, subscribe):
        session = subscribe(subscription_data={"trial_period_days": 14})
        press(session.url, DECLINED)
        client.v1.checkout.sessions.expire(session.id)
        found = client.v1.subscriptions.list({"status": "all"}).data
        assert [one.status for one in found] == ["canceled"]

    def test_is_billed_with_what_is_bought_once(self, client, subscribe, monthly, price):
        lines = [{"price": monthly.id, "quantity": 1}, {"price": price.id, "quantity": 2}]
        session = subscribe(line_items=lines)
        press(session.url)
        done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["invoice"]})
        assert (session.amount_total, done.invoice.amount_paid) == (5000, 5000)

    def test_refuses_a_price_that_is_not_recurring(self, subscribe, price):
        with pytest.raises(stripe.InvalidRequestError):
            subscribe(line_items=[{"price": price.id, "quantity": 1}])

    def test_that_cannot_be_made_leaves_nothing(self, client, subscribe):
        coupon = client.v1.coupons.create({"percent_off": 25, "duration": "once"})
        session = subscribe(discounts=[{"coupon": coupon.id}])
        client.v1.coupons.delete(coupon.id)
        before = types(client)
        status, shown, _ = press(session.url)
        assert (status, "No such coupon" in shown) == (402, True)
        assert client.v1.customers.list().data == []
        assert client.v1.subscriptions.list({"status": "all"}).data == []
        assert types(client) == before


class TestADiscount:
    @pytest.fixture
    def coupon(self, client):
        return client.v1.coupons.create({"percent_off": 25, "duration": "once"})

    def test_is_taken_off_what_is_shown_and_billed(self, client, subscribe, coupon):
        session = subscribe(discounts=[{"coupon": coupon.id}])
        assert session.amount_total == 1500
        press(session.url)
        assert client.v1.charges.list().data[0].amount == 1500

    def test_is_typed_by_the_buyer(self, client, make, coupon):
        promotion = {"type": "coupon", "coupon": coupon.id}
        client.v1.promotion_codes.create({"promotion": promotion, "code": "SPRING"})
        session = make(allow_promotion_codes=True)
        shown = visit(session.url, action="apply", code="WRONG")
        assert (shown[0], "This code is not valid." in shown[1]) == (402, True)
        assert "Pay 22.50 USD" in visit(session.url, action="apply", code="spring")[1]
        press(session.url)
        assert client.v1.charges.list().data[0].amount == 2250

    def test_cannot_be_typed_where_it_is_not_offered(self, client, make, coupon):
        promotion = {"type": "coupon", "coupon": coupon.id}
        client.v1.promotion_codes.create({"promotion": promotion, "code": "SPRING"})
        assert visit(make().url, action="apply", code="SPRING")[0] == 402

    def test_of_an_amount_is_spread_over_the_lines(self, client, make, price):
        off = client.v1.coupons.create({"amount_off": 1000, "currency": "usd", "duration": "once"})
        lines = [{"price": price.id, "quantity": one} for one in (1, 2)]
        session = make(line_items=lines, discounts=[{"coupon": off.id}], expand=["line_items"])
        assert [line.amount_discount for line in session.line_items.data] == [333, 667]
        assert session.amount_total == 3500


class TestAfterAnAttempt:
    """What the buyer changes then is what the next attempt is for."""

    @pytest.fixture
    def code(self, client):
        half = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
        promotion = {"type": "coupon", "coupon": half.id}
        return client.v1.promotion_codes.create({"promotion": promotion, "code": "HALF"}).code

    def paid(self, client, session):
        """Return what was charged, after holding it against what the session says."""
        done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["invoice"]})
        charges = [one for one in client.v1.charges.list().data if one.paid]
        assert [one.amount for one in charges] == [done.amount_total]
        if done.mode == "subscription":
            assert done.invoice.amount_paid == done.amount_total
        assert (done.status, done.payment_status) == ("complete", "paid")
        return charges[0].amount

    def test_a_code_is_taken_off_the_subscription(self, client, subscribe, code):
        session = subscribe(allow_promotion_codes=True)
        assert press(session.url, DECLINED)[0] == 402
        visit(session.url, action="apply", code=code)
        assert press(session.url)[0] == 303
        assert self.paid(client, session) == 1000
        found = client.v1.subscriptions.list({"status": "all"}).data
        assert [one.status for one in found] == ["active", "canceled"]
        assert [one.status for one in client.v1.invoices.list().data] == ["paid", "void"]

    def test_other_quantities_are_billed(self, client, subscribe, monthly):
        lines = [{"price": monthly.id, "quantity": 1, "adjustable_quantity": {"enabled": True}}]
        session = subscribe(line_items=lines)
        press(session.url, DECLINED)
        name = re.search(r"quantity_li_\w+", visit(session.url)[1])[0]
        visit(session.url, action="update", **{name: 3})
        press(session.url)
        assert self.paid(client, session) == 6000
        assert client.v1.subscriptions.list().data[0]["items"].data[0].quantity == 3

    @pytest.mark.parametrize("mode", ["payment", "subscription"])
    def test_the_bank_is_asked_for_the_new_sum_only(self, client, make, subscribe, code, mode):
        begin = {"payment": make, "subscription": subscribe}[mode]
        session = begin(allow_promotion_codes=True)
        bank = press(session.url, ASKS)[2]
        visit(session.url, action="apply", code=code)
        assert visit(bank, outcome="succeeds")[0] == 400
        assert "Nothing is asked of you" in visit(bank)[1]
        assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
        visit(press(session.url, ASKS)[2], outcome="succeeds")
        assert self.paid(client, session) == session.amount_total // 2

    def test_a_trial_begins_with_what_is_shown(self, client, subscribe, monthly):
        lines = [{"price": monthly.id, "quantity": 1, "adjustable_quantity": {"enabled": True}}]
        session = subscribe(line_items=lines, subscription_data={"trial_period_days": 14})
        bank = press(session.url, ASKS)[2]
        name = re.search(r"quantity_li_\w+", visit(session.url)[1])[0]
        visit(session.url, action="update", **{name: 3})
        assert visit(bank, outcome="succeeds")[0] == 400
        assert press(session.url)[0] == 303
        done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
        assert done.subscription.status == "trialing"
        assert done.subscription["items"].data[0].quantity == 3
        assert [one.id for one in client.v1.subscriptions.list().data] == [done.subscription.id]

    def test_what_stays_the_same_is_not_begun_anew(self, client, subscribe, monthly):
        lines = [{"price": monthly.id, "quantity": 2, "adjustable_quantity": {"enabled": True}}]
        session = subscribe(line_items=lines)
        press(session.url, DECLINED)
        name = re.search(r"quantity_li_\w+", visit(session.url)[1])[0]
        visit(session.url, action="update", **{name: 2})
        press(session.url)
        assert len(client.v1.subscriptions.list({"status": "all"}).data) == 1


class TestTaxes:
    @pytest.mark.parametrize(
        ("is_inclusive", "total", "tax"), [(False, 3570, 570), (True, 3000, 479)]
    )
    def test_are_added_or_included(self, client, make, price, is_inclusive, total, tax):
        rate = client.v1.tax_rates.create(
            {"display_name": "VAT", "inclusive": is_inclusive, "percentage": 19}
        )
        line = {"price": price.id, "quantity": 2, "tax_rates": [rate.id]}
        session = make(line_items=[line])
        assert (session.amount_total, session.total_details.amount_tax) == (total, tax)


class TestAnInvoice:
    def test_of_a_single_payment_is_paid_by_it(self, client, make):
        data = {"metadata": {"order": "1"}, "description": "Credits"}
        session = make(invoice_creation={"enabled": True, "invoice_data": data})
        press(session.url)
        done = client.v1.checkout.sessions.retrieve(session.id)
        invoice = client.v1.invoices.retrieve(done.invoice, {"expand": ["payments"]})
        assert (invoice.status, invoice.amount_paid) == ("paid", 3000)
        assert (invoice.metadata["order"], invoice.customer) == ("1", done.customer)
        paid = invoice.payments.data[0].payment.payment_intent
        assert paid == done.payment_intent
        assert len(client.v1.charges.list().data) == 1
        assert "invoice.paid" in types(client)

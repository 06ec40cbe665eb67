"""Changes in the middle of a period, and that a preview says what then comes."""

import pytest
import stripe

from tests.simulator.billing import (
    day,
    monthly,
    move,
    new_clock,
    seconds,
    subscribe,
    types,
    with_card,
)


class Plan:
    """A subscription that is ten days into a period of thirty."""

    def __init__(self, client, world, amount=3000, **more):
        self.client, self.world = client, world
        self.clock = new_clock(client, "2026-04-01")
        self.customer = with_card(client, test_clock=self.clock.id)
        items = [{"price": monthly(client, amount).id}]
        self.made = subscribe(client, self.customer, items=items, **more)
        self.id = self.made.id
        self.item = self.made["items"].data[0].id
        move(client, world, self.clock, days=10)

    def change(self, **params):
        return self.client.v1.subscriptions.update(self.id, params)

    def pending(self):
        found = self.client.v1.invoice_items.list({"pending": True}).data
        return sorted(one.amount for one in found)

    def totals(self):
        found = self.client.v1.invoices.list({"subscription": self.id}).data
        return [one.total for one in found][::-1]


@pytest.fixture
def plan(client, world):
    return Plan(client, world)


def test_an_upgrade_is_prorated_on_the_next_invoice(client, world, plan):
    dear = monthly(client, 6000)
    changed = plan.change(items=[{"id": plan.item, "price": dear.id}])
    assert changed["items"].data[0].price.id == dear.id
    assert plan.pending() == [-2000, 4000]
    move(client, world, plan.clock, days=21)
    assert plan.totals() == [3000, 8000]
    lines = client.v1.invoices.list({"subscription": plan.id}).data[0].lines.data
    details = [line.parent.subscription_item_details for line in lines]
    assert [one.proration for one in details] == [False, True, True]
    assert details[1].proration_details.credited_items.invoice == plan.made.latest_invoice


def test_a_second_change_credits_what_the_first_one_charged(client, world, plan):
    plan.change(items=[{"id": plan.item, "quantity": 2}])
    move(client, world, plan.clock, days=10)
    plan.change(items=[{"id": plan.item, "quantity": 1}])
    assert plan.pending() == [-2000, -2000, 1000, 4000]
    move(client, world, plan.clock, days=11)
    assert plan.totals() == [3000, 4000]


def test_a_change_is_billed_at_once_if_that_is_wanted(client, plan):
    plan.change(items=[{"id": plan.item, "quantity": 3}], proration_behavior="always_invoice")
    assert plan.totals() == [3000, 4000]
    assert client.v1.invoices.list().data[0].status == "paid"
    assert client.v1.invoices.list().data[0].billing_reason == "subscription_update"


def test_a_change_costs_nothing_if_that_is_wanted(client, world, plan):
    plan.change(items=[{"id": plan.item, "quantity": 3}], proration_behavior="none")
    assert plan.pending() == []
    move(client, world, plan.clock, days=21)
    assert plan.totals() == [3000, 9000]


def test_a_downgrade_billed_at_once_becomes_credit(client, plan):
    cheap = monthly(client, 1500)
    plan.change(items=[{"id": plan.item, "price": cheap.id}], proration_behavior="always_invoice")
    assert plan.totals() == [3000, -1000]
    assert client.v1.customers.retrieve(plan.customer.id).balance == -1000


def test_another_interval_begins_a_new_period_now(client, plan):
    year = monthly(client, 30000, interval="year")
    changed = plan.change(items=[{"id": plan.item, "price": year.id}])
    item = changed["items"].data[0]
    assert (day(item.current_period_start), day(item.current_period_end)) == (
        "2026-04-11",
        "2027-04-11",
    )
    assert plan.totals() == [3000, 28000]
    assert client.v1.invoices.retrieve(changed.latest_invoice).status == "paid"


def test_the_anchor_is_moved_to_now(client, plan):
    changed = plan.change(billing_cycle_anchor="now")
    assert day(changed.billing_cycle_anchor) == "2026-04-11"
    assert plan.totals() == [3000, 1000]


def test_items_are_added_changed_and_taken_out(client, plan):
    seats = monthly(client, 600)
    items = client.v1.subscription_items
    added = items.create({"subscription": plan.id, "price": seats.id, "quantity": 5})
    assert plan.pending() == [2000]
    items.update(added.id, {"quantity": 10, "proration_behavior": "none"})
    assert items.retrieve(added.id).quantity == 10
    assert len(items.list({"subscription": plan.id}).data) == 2
    assert items.delete(added.id).deleted
    assert plan.pending() == [-2000, 2000]
    with pytest.raises(stripe.InvalidRequestError):
        items.delete(plan.item)
    with pytest.raises(stripe.InvalidRequestError):
        items.create({"subscription": plan.id, "price": plan.made["items"].data[0].price.id})


def test_a_change_that_must_be_paid_and_is_not_leaves_all_as_it_was(client, plan):
    with_card(client, "pm_card_chargeCustomerFail", customer=plan.customer)
    with pytest.raises(stripe.CardError):
        plan.change(
            items=[{"id": plan.item, "quantity": 3}],
            proration_behavior="always_invoice",
            payment_behavior="error_if_incomplete",
        )
    assert plan.totals() == [3000]
    assert plan.pending() == []
    assert client.v1.subscription_items.retrieve(plan.item).quantity == 1


def test_a_change_that_may_be_unpaid_leaves_it_past_due(client, plan):
    with_card(client, "pm_card_chargeCustomerFail", customer=plan.customer)
    changed = plan.change(
        items=[{"id": plan.item, "quantity": 3}], proration_behavior="always_invoice"
    )
    assert (changed.status, changed["items"].data[0].quantity) == ("past_due", 3)


def test_a_pending_update_waits_for_its_payment(client, plan):
    with_card(client, "pm_card_chargeCustomerFail", customer=plan.customer)
    changed = plan.change(
        items=[{"id": plan.item, "quantity": 3}],
        proration_behavior="always_invoice",
        payment_behavior="pending_if_incomplete",
    )
    assert (changed.status, changed["items"].data[0].quantity) == ("active", 1)
    assert changed.pending_update.subscription_items[0].quantity == 3
    client.v1.invoices.pay(changed.latest_invoice, {"payment_method": "pm_card_visa"})
    applied = client.v1.subscriptions.retrieve(plan.id)
    assert (applied.pending_update, applied["items"].data[0].quantity) == (None, 3)
    assert "customer.subscription.pending_update_applied" in types(client)


def test_a_pending_update_expires(client, world, plan):
    with_card(client, "pm_card_chargeCustomerFail", customer=plan.customer)
    changed = plan.change(
        items=[{"id": plan.item, "quantity": 3}],
        proration_behavior="always_invoice",
        payment_behavior="pending_if_incomplete",
    )
    move(client, world, plan.clock, days=1)
    assert client.v1.subscriptions.retrieve(plan.id).pending_update is None
    assert client.v1.invoices.retrieve(changed.latest_invoice).status == "void"
    assert "customer.subscription.pending_update_expired" in types(client)


@pytest.mark.parametrize("behavior", ["create_prorations", "always_invoice"])
def test_a_preview_is_what_then_comes(client, world, plan, behavior):
    items = [{"id": plan.item, "quantity": 4}]
    at = seconds("2026-04-11")
    details = {"items": items, "proration_behavior": behavior, "proration_date": at}
    before = (plan.totals(), plan.pending(), types(client))
    seen = client.v1.invoices.create_preview(
        {"customer": plan.customer.id, "subscription": plan.id, "subscription_details": details}
    )
    assert (plan.totals(), plan.pending(), types(client)) == before
    assert client.v1.subscription_items.retrieve(plan.item).quantity == 1
    plan.change(items=items, proration_behavior=behavior, proration_date=at)
    if behavior == "create_prorations":
        move(client, world, plan.clock, days=21)
    assert plan.totals() == [3000, seen.total]
    billed = client.v1.invoices.list({"subscription": plan.id}).data[0]
    assert [one.amount for one in billed.lines.data] == [one.amount for one in seen.lines.data]
    assert seen.id.startswith("upcoming_in_")
    assert seen.amount_due == seen.total


def test_previews_of_the_next_invoice_and_of_a_new_subscription(client, plan):
    assert client.v1.invoices.create_preview({"customer": plan.customer.id}).total == 3000
    price = monthly(client, 700)
    other = client.v1.invoices.create_preview(
        {
            "customer": plan.customer.id,
            "subscription_details": {"items": [{"price": price.id, "quantity": 2}]},
        }
    )
    assert other.total == 1400
    assert len(client.v1.subscriptions.list().data) == 1
    plan.change(cancel_at_period_end=True)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.invoices.create_preview({"subscription": plan.id})
    assert refused.value.code == "invoice_upcoming_none"


def test_a_preview_uses_no_coupon_up(client, plan):
    coupon = client.v1.coupons.create({"percent_off": 50, "max_redemptions": 1})
    seen = client.v1.invoices.create_preview(
        {"subscription": plan.id, "discounts": [{"coupon": coupon.id}]}
    )
    assert seen.total == 1500
    assert client.v1.coupons.retrieve(coupon.id).times_redeemed == 0


def test_a_trial_is_given_or_ended_later(client, plan):
    end = seconds("2026-04-20")
    trialing = plan.change(trial_end=end, proration_behavior="none")
    assert (trialing.status, trialing.trial_end) == ("trialing", end)
    active = plan.change(trial_end="now")
    assert (active.status, day(active.billing_cycle_anchor)) == ("active", "2026-04-11")


def test_a_future_anchor_makes_a_first_period_that_is_shorter(client, world):
    clock = new_clock(client, "2026-04-11")
    customer = with_card(client, test_clock=clock.id)
    price = monthly(client, 3000)
    config = {"day_of_month": 1}
    made = subscribe(
        client,
        customer,
        items=[{"price": price.id}],
        billing_cycle_anchor_config=config,
        expand=["latest_invoice"],
    )
    assert day(made.billing_cycle_anchor) == "2026-05-01"
    assert made.latest_invoice.total == 2000
    free = subscribe(
        client,
        customer,
        items=[{"price": price.id}],
        billing_cycle_anchor=seconds("2026-05-01"),
        proration_behavior="none",
        expand=["latest_invoice"],
    )
    assert (free.status, free.latest_invoice.total) == ("active", 0)


def test_lines_of_a_draft_are_added_changed_and_removed(client):
    customer = with_card(client)
    draft = client.v1.invoices.create({"customer": customer.id, "currency": "usd"})
    service = client.v1.invoices
    new = [{"amount": 500, "description": "A"}, {"amount": 700, "description": "B"}]
    added = service.add_lines(draft.id, {"lines": new})
    first, second = added.lines.data
    assert added.total == 1200
    service.line_items.update(draft.id, first.id, {"amount": 600})
    service.update_lines(draft.id, {"lines": [{"id": second.id, "description": "C"}]})
    lines = service.line_items.list(draft.id).data
    assert [(one.amount, one.description) for one in lines] == [(600, "A"), (700, "C")]
    removed = service.remove_lines(draft.id, {"lines": [{"id": first.id, "behavior": "unassign"}]})
    assert removed.total == 700
    assert len(client.v1.invoice_items.list({"pending": True}).data) == 1
    service.finalize_invoice(draft.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        service.add_lines(draft.id, {"lines": [{"amount": 1}]})
    assert refused.value.code == "invoice_not_editable"

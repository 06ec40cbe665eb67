"""Renewals in the time of a test clock: month ends, failures, retries, pauses, ends."""

import json
import urllib.request

import pytest
import stripe

from simulator.core.timers import TIMERS, run_due
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


def start(client, when="2026-01-31", **more):
    clock = new_clock(client, when)
    customer = with_card(client, test_clock=clock.id)
    return clock, customer, subscribe(client, customer, **more)


def invoices(client, subscription):
    return client.v1.invoices.list({"subscription": subscription.id}).data[::-1]


@pytest.mark.parametrize(
    ("when", "ends"),
    [
        ("2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30"]),
        ("2028-01-30", ["2028-02-29", "2028-03-30", "2028-04-30"]),
    ],
)
def test_an_anchor_at_the_end_of_a_month_stays_there(client, world, when, ends):
    clock, _, made = start(client, when)
    found = []
    for _ in ends:
        item = client.v1.subscriptions.retrieve(made.id)["items"].data[0]
        found.append(day(item.current_period_end))
        move(client, world, clock, days=31)
    assert found == ends
    paid = invoices(client, made)
    assert {one.status for one in paid} == {"paid"}
    assert [one.billing_reason for one in paid][:2] == ["subscription_create", "subscription_cycle"]


def test_a_renewal_is_a_draft_for_an_hour(client, world):
    clock, _, made = start(client, "2026-01-01")
    move(client, world, clock, days=31)
    renewal = invoices(client, made)[-1]
    assert (renewal.status, renewal.attempted) == ("draft", False)
    assert renewal.automatically_finalizes_at == seconds("2026-02-01") + 3600
    assert types(client).count("invoice.upcoming") == 1
    client.v1.invoice_items.create(
        {"customer": made.customer, "amount": 700, "currency": "usd", "invoice": renewal.id}
    )
    move(client, world, clock, hours=2)
    assert client.v1.invoices.retrieve(renewal.id).amount_paid == 2200


def test_what_waits_is_on_the_next_invoice(client, world):
    clock, customer, made = start(client, "2026-01-01")
    client.v1.invoice_items.create({"customer": customer.id, "amount": 300, "currency": "usd"})
    move(client, world, clock, days=32)
    assert [one.total for one in invoices(client, made)] == [1500, 1800]


def decline(client, customer):
    return with_card(client, "pm_card_chargeCustomerFail", customer=customer)


def test_a_failed_renewal_is_tried_again_and_then_canceled(client, world):
    clock, customer, made = start(client, "2026-01-01")
    decline(client, customer)
    move(client, world, clock, days=32)
    failed = client.v1.subscriptions.retrieve(made.id, {"expand": ["latest_invoice"]})
    assert (failed.status, failed.latest_invoice.attempt_count) == ("past_due", 1)
    assert failed.latest_invoice.next_payment_attempt == seconds("2026-02-04") + 3600
    seen = []
    for distance in (3, 5, 7):
        move(client, world, clock, days=distance)
        invoice = client.v1.invoices.retrieve(failed.latest_invoice.id)
        seen.append((invoice.attempt_count, client.v1.subscriptions.retrieve(made.id).status))
    assert seen == [(2, "past_due"), (3, "past_due"), (4, "canceled")]
    ended = client.v1.subscriptions.retrieve(made.id)
    assert ended.cancellation_details.reason == "payment_failed"
    assert types(client).count("invoice.payment_failed") == 4
    move(client, world, clock, days=60)
    assert len(invoices(client, made)) == 2


def test_a_new_card_ends_dunning(client, world):
    clock, customer, made = start(client, "2026-01-01")
    decline(client, customer)
    move(client, world, clock, days=32)
    with_card(client, customer=customer)
    move(client, world, clock, days=4)
    active = client.v1.subscriptions.retrieve(made.id, {"expand": ["latest_invoice"]})
    assert (active.status, active.latest_invoice.status) == ("active", "paid")
    assert active.latest_invoice.attempt_count == 2


def test_without_a_payment_method_nothing_is_tried_again_and_nothing_ends(client, world):
    clock = new_clock(client, "2026-01-01")
    customer = client.v1.customers.create({"name": "N", "test_clock": clock.id})
    made = subscribe(client, customer, trial_period_days=1)
    move(client, world, clock, days=20)
    owing = client.v1.subscriptions.retrieve(made.id, {"expand": ["latest_invoice"]})
    assert (owing.status, owing.latest_invoice.next_payment_attempt) == ("past_due", None)
    with_card(client, customer=customer)
    assert client.v1.invoices.pay(owing.latest_invoice.id).status == "paid"
    assert client.v1.subscriptions.retrieve(made.id).status == "active"


def test_dunning_is_set_to_leave_it_unpaid_and_to_draft_from_then_on(client, world, server):
    form = b"days=1&outcome=unpaid"
    with urllib.request.urlopen(f"{server.url}/_sim/dunning", form) as answer:
        assert b"unpaid" in answer.read()
    clock, customer, made = start(client, "2026-01-01")
    decline(client, customer)
    move(client, world, clock, days=34)
    assert client.v1.subscriptions.retrieve(made.id).status == "unpaid"
    move(client, world, clock, days=30)
    last = invoices(client, made)[-1]
    assert (last.status, last.auto_advance) == ("draft", False)
    with_card(client, customer=customer)
    assert client.v1.invoices.pay(last.id).status == "paid"
    assert client.v1.subscriptions.retrieve(made.id).status == "active"


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")],
)
def test_collection_is_paused_and_resumes_in_time(client, world, behavior, status):
    clock, _, made = start(client, "2026-01-01")
    client.v1.subscriptions.update(
        made.id,
        {"pause_collection": {"behavior": behavior, "resumes_at": seconds("2026-02-20")}},
    )
    move(client, world, clock, days=33)
    assert [one.status for one in invoices(client, made)] == ["paid", status]
    assert client.v1.subscriptions.retrieve(made.id).status == "active"
    move(client, world, clock, days=28)
    resumed = client.v1.subscriptions.retrieve(made.id)
    assert resumed.pause_collection is None
    assert [one.status for one in invoices(client, made)] == ["paid", status, "paid"]


def test_it_ends_with_its_period_or_not_after_all(client, world):
    clock, _, made = start(client, "2026-01-01")
    ending = client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert (ending.status, day(ending.cancel_at)) == ("active", "2026-02-01")
    kept = client.v1.subscriptions.update(made.id, {"cancel_at_period_end": False})
    assert (kept.cancel_at, kept.canceled_at) == (None, None)
    client.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    move(client, world, clock, days=32)
    ended = client.v1.subscriptions.retrieve(made.id)
    assert (ended.status, day(ended.ended_at)) == ("canceled", "2026-02-01")
    assert len(invoices(client, made)) == 1
    assert "customer.subscription.deleted" in types(client)


def test_a_subscription_goes_on_after_a_restart(client, world):
    clock, _, made = start(client, "2026-01-01")
    kept = json.loads(json.dumps(world.store.dump()))
    world.store.load(kept)
    move(client, world, clock, days=32)
    assert [one.status for one in invoices(client, made)] == ["paid", "paid"]


def test_it_ends_at_a_time(client, world):
    clock, _, made = start(client, "2026-01-01")
    client.v1.subscriptions.update(made.id, {"cancel_at": seconds("2026-01-20")})
    move(client, world, clock, days=20)
    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"


def test_a_canceled_subscription_only_gets_other_metadata(client):
    _, _, made = start(client)
    assert client.v1.subscriptions.cancel(made.id).status == "canceled"
    changed = client.v1.subscriptions.update(made.id, {"metadata": {"a": "b"}})
    assert changed.metadata["a"] == "b"
    for change in ({"cancel_at_period_end": True}, {"description": "x"}):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.subscriptions.update(made.id, change)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscriptions.cancel(made.id)
    assert client.v1.subscriptions.list().data == []
    assert len(client.v1.subscriptions.list({"status": "canceled"}).data) == 1


def test_canceling_credits_what_is_not_used_if_that_is_wanted(client, world):
    clock, customer, made = start(client, "2026-01-01", items=[{"price": monthly(client, 3100).id}])
    move(client, world, clock, days=10)
    client.v1.subscriptions.cancel(made.id, {"prorate": True, "invoice_now": True})
    last = client.v1.invoices.list({"customer": customer.id}).data[0]
    assert (last.total, last.status) == (-2100, "paid")
    assert client.v1.customers.retrieve(customer.id).balance == -2100


def test_a_deleted_customers_subscriptions_end(client):
    _, customer, made = start(client)
    client.v1.customers.delete(customer.id)
    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"


def test_an_invoice_outlives_its_customer_without_advancing(client, world):
    clock = new_clock(client, "2026-01-01")
    customer = with_card(client, test_clock=clock.id)
    client.v1.invoice_items.create({"customer": customer.id, "amount": 900, "currency": "usd"})
    params = {"pending_invoice_items_behavior": "include", "auto_advance": True}
    draft = client.v1.invoices.create({"customer": customer.id, **params})
    client.v1.customers.delete(customer.id)
    move(client, world, clock, hours=2)
    assert client.v1.invoices.retrieve(draft.id).status == "draft"


class TestAClockThatFails:
    """On the way, a timer raises; or timers make timers without an end."""

    @pytest.fixture
    def failed(self, client, world, monkeypatch):
        def fail(function):
            clock = new_clock(client)
            monkeypatch.setitem(TIMERS, "tick", function)
            with world.transaction() as tx:
                tx.schedule(clock.frozen_time + 5, "tick", clock.id, clock.id)
            clocks = client.v1.test_helpers.test_clocks
            clocks.advance(clock.id, {"frozen_time": clock.frozen_time + 60})
            run_due(world)
            return clock, clocks.retrieve(clock.id)

        return fail

    def test_says_so_and_is_not_advanced_again(self, client, failed, caplog):
        def broken(tx, id_):
            tx.new("customer")
            raise ZeroDivisionError

        clock, found = failed(broken)
        assert (found.status, found.frozen_time) == ("internal_failure", clock.frozen_time)
        assert "ZeroDivisionError" in caplog.text
        assert types(client)[-1] == "test_helpers.test_clock.internal_failure"
        assert client.v1.customers.list().data == []
        clocks = client.v1.test_helpers.test_clocks
        with pytest.raises(stripe.InvalidRequestError, match="make another one"):
            clocks.advance(clock.id, {"frozen_time": clock.frozen_time + 60})
        assert clocks.delete(clock.id).deleted

    def test_does_not_jump_over_what_is_due(self, failed, monkeypatch):
        monkeypatch.setattr("simulator.core.timers.LIMIT", 20)

        def without_end(tx, id_):
            tx.schedule(tx.now(id_), "tick", id_, id_)

        clock, found = failed(without_end)
        assert (found.status, found.frozen_time) == ("internal_failure", clock.frozen_time)


def test_a_clock_goes_forward_only_and_not_too_far(client, world):
    clock, customer, _ = start(client, "2026-01-01")
    clocks = client.v1.test_helpers.test_clocks
    for until in ("2025-12-31", "2026-01-01", "2026-03-02"):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            clocks.advance(clock.id, {"frozen_time": seconds(until)})
        assert refused.value.param == "frozen_time"
    move(client, world, clock, days=59)
    assert clocks.delete(clock.id).deleted
    assert client.v1.customers.retrieve(customer.id).deleted
    told = [name for name in types(client) if "test_clock" in name]
    assert told == [f"test_helpers.test_clock.{what}" for what in
                    ("created", "advancing", "ready", "deleted")]  # fmt: skip

"""Subscription schedules: phases in their time, and what comes after the last."""

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


@pytest.fixture
def clock(client):
    return new_clock(client, "2026-01-31")


@pytest.fixture
def customer(client, clock):
    return with_card(client, test_clock=clock.id)


def schedule(client, customer, price, *quantities, **more):
    phases = [
        {
            "items": [{"price": price.id, "quantity": quantity}],
            "duration": {"interval": "month"},
            "proration_behavior": "none",
        }
        for quantity in quantities
    ]
    params = {"customer": customer.id, "start_date": "now", "phases": phases, **more}
    return client.v1.subscription_schedules.create(params)


def test_phases_follow_each_other_and_the_subscription_goes_on(client, world, clock, customer):
    made = schedule(client, customer, monthly(client, 1000), 1, 3)
    assert made.status == "active"
    spans = [(day(one.start_date), day(one.end_date)) for one in made.phases]
    assert spans == [("2026-01-31", "2026-02-28"), ("2026-02-28", "2026-03-28")]
    move(client, world, clock, days=29)
    second = client.v1.subscription_schedules.retrieve(made.id)
    assert day(second.current_phase.start_date) == "2026-02-28"
    subscription = client.v1.subscriptions.retrieve(made.subscription)
    assert (subscription["items"].data[0].quantity, subscription.schedule) == (3, made.id)
    billed = client.v1.invoices.list({"subscription": subscription.id}).data
    assert [one.total for one in billed] == [3000, 1000]
    move(client, world, clock, days=30)
    done = client.v1.subscription_schedules.retrieve(made.id)
    assert (done.status, bool(done.completed_at)) == ("completed", True)
    subscription = client.v1.subscriptions.retrieve(made.subscription)
    assert (subscription.status, subscription.schedule) == ("active", None)
    told = types(client)
    for name in ("created", "updated", "expiring", "completed"):
        assert f"subscription_schedule.{name}" in told


def test_a_schedule_may_end_the_subscription(client, world, clock, customer):
    made = schedule(client, customer, monthly(client), 1, end_behavior="cancel")
    move(client, world, clock, days=29)
    assert client.v1.subscriptions.retrieve(made.subscription).status == "canceled"
    assert client.v1.subscription_schedules.retrieve(made.id).status == "completed"


def test_a_schedule_that_begins_later_waits(client, world, clock, customer):
    made = schedule(client, customer, monthly(client), 1, start_date=seconds("2026-02-10"))
    assert (made.status, made.subscription) == ("not_started", None)
    move(client, world, clock, days=11)
    begun = client.v1.subscription_schedules.retrieve(made.id, {"expand": ["subscription"]})
    assert (begun.status, begun.subscription.status) == ("active", "active")
    assert day(begun.subscription.start_date) == "2026-02-10"


def test_a_running_subscription_is_taken_over_and_released(client, customer):
    subscription = subscribe(client, customer)
    made = client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    assert (made.status, made.subscription, len(made.phases)) == ("active", subscription.id, 1)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    released = client.v1.subscription_schedules.release(made.id)
    assert (released.status, released.released_subscription) == ("released", subscription.id)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscription_schedules.cancel(made.id)


def test_canceling_it_ends_the_subscription(client, customer):
    made = schedule(client, customer, monthly(client), 1, 2)
    assert client.v1.subscription_schedules.cancel(made.id).status == "canceled"
    assert client.v1.subscriptions.retrieve(made.subscription).status == "canceled"
    assert types(client)[-1] == "subscription_schedule.canceled"


def test_a_second_phase_is_added_to_a_running_subscription(client, world, clock, customer):
    price = monthly(client, 1000)
    subscription = subscribe(client, customer, items=[{"price": price.id}])
    made = client.v1.subscription_schedules.create({"from_subscription": subscription.id})
    first = made.phases[0]
    dear = monthly(client, 4000)
    client.v1.subscription_schedules.update(
        made.id,
        {
            "end_behavior": "release",
            "phases": [
                {
                    "items": [{"price": price.id, "quantity": 1}],
                    "start_date": first.start_date,
                    "end_date": first.end_date,
                },
                {"items": [{"price": dear.id}], "duration": {"interval": "month"}},
            ],
        },
    )
    move(client, world, clock, days=29)
    items = client.v1.subscriptions.retrieve(subscription.id)["items"].data
    assert [one.price.id for one in items] == [dear.id]
    totals = [one.total for one in client.v1.invoices.list({"subscription": subscription.id}).data]
    assert totals == [4000, 1000]


@pytest.mark.parametrize("phases", [[], [{"items": []}]])
def test_a_schedule_without_anything_in_it_is_refused(client, customer, phases):
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscription_schedules.create(
            {"customer": customer.id, "start_date": "now", "phases": phases}
        )

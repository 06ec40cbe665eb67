"""What tests of billing have in common: customers with cards, prices, clocks that move."""

from datetime import UTC, datetime

from simulator.core.timers import run_due

START = "2026-01-01"


def seconds(day):
    """Return a day's beginning in seconds."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def day(at):
    """Return the day of a time."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def new_clock(client, start=START):
    """Make a test clock."""
    return client.v1.test_helpers.test_clocks.create({"frozen_time": seconds(start)})


def move(client, world, clock, **distance):
    """Move a clock by days and hours, and let all happen that is due."""
    clocks = client.v1.test_helpers.test_clocks
    now = clocks.retrieve(clock.id).frozen_time
    until = now + distance.get("days", 0) * 86400 + distance.get("hours", 0) * 3600
    assert clocks.advance(clock.id, {"frozen_time": until}).status == "advancing"
    run_due(world)
    moved = clocks.retrieve(clock.id)
    assert (moved.status, moved.frozen_time) == ("ready", until)


def types(client):
    """Return the types of all events, oldest first."""
    return [one.type for one in client.v1.events.list({"limit": 100}).auto_paging_iter()][::-1]


def with_card(client, card="pm_card_visa", customer=None, **more):
    """Make a customer who pays by this card."""
    customer = customer or client.v1.customers.create({"name": "N", **more})
    method = client.v1.payment_methods.attach(card, {"customer": customer.id})
    return client.v1.customers.update(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )


def monthly(client, amount=1500, *, interval="month", currency="usd", **more):
    """Make a price."""
    product = client.v1.products.create({"name": f"Plan {amount}"})
    return client.v1.prices.create(
        {
            "product": product.id,
            "unit_amount": amount,
            "currency": currency,
            "recurring": {"interval": interval},
            **more,
        }
    )


def subscribe(client, customer, **more):
    """Begin a subscription, to a plan of 15 dollars a month if nothing else is said."""
    params = {"customer": customer.id, **more}
    if "items" not in params:
        params["items"] = [{"price": monthly(client).id}]
    return client.v1.subscriptions.create(params)

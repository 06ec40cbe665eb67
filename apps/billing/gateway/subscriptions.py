"""Subscriptions at Stripe: how one begins, changes, is previewed, rests and ends."""

from typing import Any

from apps.billing.gateway.client import Json, ask
from apps.billing.gateway.objects import retrieve

MOST_INVOICES = 12  # the newest; each older one had news of its own


def retrieve_whole(subscription_id: str) -> Json:
    """Return a subscription as it is now, with its newest invoices and what paid them."""
    params = {
        "subscription": subscription_id,
        "limit": MOST_INVOICES,
        "expand": ["data.payments"],
    }
    found = ask(lambda stripe, options: stripe.invoices.list(params, options))
    # The subscription after its invoices: an invoice's state is never ahead of it.
    return {"subscription": retrieve("subscription", subscription_id), "invoices": found["data"]}


def change_items(*, key: str, subscription: Json, items: Json) -> Json:
    """
    Change what a subscription is for, now, and have the difference paid at once.

    :raises PaymentDeclined: if it cannot be paid; nothing was changed then.
    """
    params = _items(subscription, items) | {"payment_behavior": "error_if_incomplete"}
    return _update(key, subscription["id"], params)


def preview_items(*, subscription: Json, items: Json) -> Json:
    """Return the invoice that the same change would make, without making it."""
    params: Json = {
        "subscription": subscription["id"],
        "subscription_details": _items(subscription, items),
    }
    return ask(lambda stripe, options: stripe.invoices.create_preview(params, options))


def preview_next(subscription_id: str) -> Json:
    """Return the next invoice as it would be now."""
    params = {"subscription": subscription_id}
    return ask(lambda stripe, options: stripe.invoices.create_preview(params, options))


def _items(subscription: Json, items: Json) -> Json:
    item = subscription["items"]["data"][0]["id"]
    changed: Json = {
        "items": [{"id": item, "price": items["price"], "quantity": items["quantity"]}],
        "proration_behavior": items["proration_behavior"],
    }
    if items["proration_behavior"] != "none":
        changed["proration_date"] = items["proration_date"]
    return changed


def set_end(*, key: str, subscription_id: str, ends: bool) -> Json:
    """Let a subscription end with its period, or go on."""
    return _update(key, subscription_id, {"cancel_at_period_end": ends})


def set_pause(*, key: str, subscription_id: str, is_paused: bool) -> Json:
    """Let nothing be collected, or again; invoices meanwhile are void."""
    pause: object = {"behavior": "void"} if is_paused else ""
    return _update(key, subscription_id, {"pause_collection": pause})


def set_trial_end(*, key: str, subscription_id: str, trial_end: int) -> Json:
    """Let a trial end at another moment (Unix time)."""
    params = {"trial_end": trial_end, "proration_behavior": "none"}
    return _update(key, subscription_id, params)


def end_now(*, key: str, subscription_id: str) -> Json:
    """End a subscription at once."""
    return ask(
        lambda stripe, options: stripe.subscriptions.cancel(subscription_id, {}, options), key=key
    )


def open_invoices(subscription_id: str) -> list[Json]:
    """Return the invoices of a subscription that somebody could still pay."""
    params = {"subscription": subscription_id, "status": "open", "limit": MOST_INVOICES}
    found = ask(lambda stripe, options: stripe.invoices.list(params, options))
    return list(found["data"])


def void_invoice(*, key: str, invoice_id: str) -> Json:
    """Let nobody pay an invoice any more."""
    return ask(
        lambda stripe, options: stripe.invoices.void_invoice(invoice_id, {}, options), key=key
    )


def schedule_items(*, key: str, subscription: Json, items: Json) -> Json:
    """Let a subscription be for something else from its next period on."""
    schedule_id = subscription.get("schedule")
    if schedule_id:
        schedule = retrieve("subscription_schedule", schedule_id)
    else:
        made = {"from_subscription": subscription["id"]}
        schedule = ask(
            lambda stripe, options: stripe.subscription_schedules.create(made, options),
            key=f"{key}:schedule",
        )
    present = subscription["items"]["data"][0]
    params: Json = {
        "end_behavior": "release",
        "phases": [
            {
                "items": [{"price": present["price"]["id"], "quantity": present["quantity"]}],
                "start_date": schedule["phases"][0]["start_date"],
                "end_date": present["current_period_end"],
                "proration_behavior": "none",
            },
            {
                "items": [{"price": items["price"], "quantity": items["quantity"]}],
                "duration": {"interval": items["interval"], "interval_count": items["count"]},
                "proration_behavior": "none",
            },
        ],
    }
    return ask(
        lambda stripe, options: stripe.subscription_schedules.update(
            schedule["id"], params, options
        ),
        key=f"{key}:phases",
    )


def release_schedule(*, key: str, schedule_id: str) -> Json:
    """Let a subscription go on as it is."""
    return ask(
        lambda stripe, options: stripe.subscription_schedules.release(schedule_id, {}, options),
        key=f"{key}:release",
    )


def _update(key: str, subscription_id: str, params: Json) -> Json:
    def question(stripe: Any, options: Any) -> Any:
        return stripe.subscriptions.update(subscription_id, params, options)

    return ask(question, key=key)

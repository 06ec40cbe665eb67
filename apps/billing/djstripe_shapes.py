"""
What dj-stripe 2.11 does not know of the shapes that Stripe's objects have today.

It was written for versions of the API before 2025. Three things have moved since, and without
this module it crashes on the first and reads nothing of the others: a customer's discount
names its coupon in `source`, an invoice its subscription in `parent`, and the periods of a
subscription are those of its items. Called once when Django starts; nothing else is changed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from djstripe.models import Customer, Invoice, Subscription
from djstripe.utils import convert_tstamp


def teach() -> None:
    """Let dj-stripe understand today's customers, invoices and subscriptions; once is enough."""
    if getattr(Customer, "knows_todays_shapes", False):
        return
    Customer.knows_todays_shapes = True
    _teach_customer()
    _teach_invoice()
    Subscription.current_period_start = property(_start_of_period)
    Subscription.current_period_end = property(_end_of_period)


def inside(data: Any, *path: str) -> Any:
    """Return what lies at a path of names, or None if one of them is missing."""
    for name in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(name)
    return data


def _teach_customer() -> None:
    original = Customer._attach_objects_post_save_hook

    def attach(self: Any, cls: Any, data: Any, **more: Any) -> Any:
        return original(self, cls, _with_coupon(data), **more)

    Customer._attach_objects_post_save_hook = attach


def _with_coupon(data: Any) -> Any:
    """Return a customer whose discount has its coupon where it used to be, or no discount."""
    discount = data.get("discount")
    if not discount or discount.get("coupon"):
        return data
    coupon = inside(discount, "source", "coupon")
    older = {**dict(discount), "coupon": coupon} if coupon else None
    return {**dict(data), "discount": older}


def _teach_invoice() -> None:
    original = Invoice._manipulate_stripe_object_hook.__func__

    def manipulate(cls: Any, data: Any) -> Any:
        found = original(cls, data)
        if found.get("object") == "invoice" and not found.get("subscription"):
            path = ("parent", "subscription_details", "subscription")
            found["subscription"] = inside(found, *path)
        return found

    Invoice._manipulate_stripe_object_hook = classmethod(manipulate)


def _start_of_period(subscription: Any) -> datetime | None:
    return min(_periods(subscription, "current_period_start"), default=None)


def _end_of_period(subscription: Any) -> datetime | None:
    return max(_periods(subscription, "current_period_end"), default=None)


def _periods(subscription: Any, name: str) -> list[datetime]:
    items = inside(subscription.stripe_data, "items", "data") or []
    return [convert_tstamp(item[name]) for item in items if item.get(name)]

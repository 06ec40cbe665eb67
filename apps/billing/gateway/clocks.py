"""Test clocks at Stripe: customers whose time stands still until it is moved."""

from datetime import datetime

from apps.billing.errors import StripeRefused
from apps.billing.gateway.client import Json, ask


def create_clock(*, key: str, name: str, moment: datetime) -> str:
    """Make a clock that stands at a moment (whole seconds); return its id."""
    params: Json = {"frozen_time": int(moment.timestamp()), "name": name}
    clock = ask(
        lambda stripe, options: stripe.test_helpers.test_clocks.create(params, options), key=key
    )
    return str(clock["id"])


def has_reached(clock_id: str, moment: datetime, *, key: str) -> bool:
    """
    Return whether a clock stands at a moment, or beyond; let it go there if it stands before.

    Safe to repeat: one that is on its way is left alone.

    :raises StripeRefused: if it failed on its way, or may not go so far at once.
    """
    clock = ask(lambda stripe, options: stripe.test_helpers.test_clocks.retrieve(clock_id))
    if clock["status"] == "internal_failure":
        raise StripeRefused(reason="its test clock failed on its way.", stripe_code="")
    if clock["status"] != "ready":
        return False
    target = int(moment.timestamp())
    if clock["frozen_time"] >= target:
        return True
    params = {"frozen_time": target}
    ask(
        lambda stripe, options: stripe.test_helpers.test_clocks.advance(clock_id, params, options),
        key=key,
    )
    return False

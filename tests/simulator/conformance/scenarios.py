"""What a scenario is given, and the list of all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from time import sleep
from typing import Any

import stripe

from tests.simulator.browsing import visit

GOOD, DECLINED, POOR, ASKS = (
    "4242424242424242",
    "4000000000000002",
    "4000000000009995",
    "4000002760003184",
)
DAY = 86_400
KEY = "sk_test_" + "a" * 24


class Shop:
    """A shop's back end: Stripe's unmodified client, and what a browser would do."""

    def __init__(self, url: str) -> None:
        self.url = url
        base = {"api": url}
        self.stripe = stripe.StripeClient(KEY, base_addresses=base, max_network_retries=0)
        self.v1 = self.stripe.v1

    def types(self) -> list[str]:
        """Return the types of the last events, the newest last."""
        return [event.type for event in self.v1.events.list({"limit": 100}).data][::-1]

    def press(self, url: str, card: str = GOOD, **more: str) -> str | None:
        """Press the button of a hosted page; return where it leads."""
        return visit(url, action="pay", card=card, email="buyer@example.com", **more)[2]

    def visit(self, url: str, **form: object) -> tuple[int, str, str | None]:
        """Open a page, or send its form."""
        return visit(url, **form)

    def refusal(self, function: Callable[..., Any], *given: Any) -> Any:
        """Return the error that a call must end in."""
        try:
            function(*given)
        except stripe.StripeError as error:
            return error
        raise AssertionError(f"{function} was not refused")

    def customer(self, method: str | None = None, **fields: Any) -> Any:
        """Make a customer, with a card that pays if one is named."""
        customer = self.v1.customers.create({"email": "jenny@example.com", **fields})
        if method is not None:
            saved = self.v1.payment_methods.attach(method, {"customer": customer.id})
            settings = {"default_payment_method": saved.id}
            customer = self.v1.customers.update(customer.id, {"invoice_settings": settings})
        return customer

    def advance(self, clock: str, until: int) -> None:
        """Move a test clock, and wait until it is ready again."""
        self.v1.test_helpers.test_clocks.advance(clock, {"frozen_time": until})
        for _ in range(1200):
            if self.v1.test_helpers.test_clocks.retrieve(clock).status == "ready":
                return
            sleep(0.05)
        raise AssertionError("the clock is not ready")

    def price(self, amount: int = 1500, interval: str | None = None, **more: Any) -> Any:
        """Make a price with its product."""
        given = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Gold"}}
        if interval is not None:
            given["recurring"] = {"interval": interval}
        return self.v1.prices.create({**given, **more})

    def pay(self, method: str = "pm_card_visa", **more: Any) -> Any:
        """Pay 20 dollars by card at once."""
        return self.v1.payment_intents.create(
            {
                "amount": 2000,
                "currency": "usd",
                "payment_method": method,
                "payment_method_types": ["card"],
                "confirm": True,
                **more,
            }
        )


@dataclass(frozen=True)
class Scenario:
    """A page of the documentation, and what it says that happens."""

    page: str
    name: str
    play: Callable[[Shop], None]


ALL: list[Scenario] = []


def scenario(page: str) -> Callable[[Callable[[Shop], None]], Callable[[Shop], None]]:
    """Register a scenario of a page of docs.stripe.com."""

    def register(function: Callable[[Shop], None]) -> Callable[[Shop], None]:
        ALL.append(Scenario(page, function.__name__, function))
        return function

    return register


def load() -> list[Scenario]:
    """Return all scenarios."""
    from tests.simulator.conformance import billing, money, payments, protocol  # noqa: F401

    return ALL

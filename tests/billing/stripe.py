"""Stripe's side of a test: its own client, and its deliveries, made by hand."""

import hashlib
import hmac
import json
import time
from typing import Any

import stripe
from django.test import Client

from apps.billing.services import inbox
from simulator.core.server import Server

SECRET = "whsec_test"
Json = dict[str, Any]


class Stripe:
    """What a test asks Stripe, beside our gateway; and what Stripe then tells us."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.v1 = stripe.StripeClient(
            "sk_test_" + "b" * 24, base_addresses={"api": server.url}, max_network_retries=0
        ).v1
        self.told = 0

    def news(self) -> list[Json]:
        """Return the events since the last time, the oldest first."""
        page = self.v1.events.list({"limit": 100})
        events = [json.loads(str(event)) for event in page.auto_paging_iter()][::-1]
        fresh = events[self.told :]
        self.told = len(events)
        return fresh

    def tell(self, *types: str) -> list[Json]:
        """Put the news (of these types only, if any are named) into the inbox and handle them."""
        fresh = [event for event in self.news() if not types or event["type"] in types]
        for event in fresh:
            inbox.receive(event, source="webhook")
        handle_everything()
        return fresh


def handle_everything() -> None:
    """Do what the workers do, until nothing is due."""
    while subjects := inbox.due_subjects():
        for subject in subjects:
            inbox.process(subject)


def deliver(
    event: Json, *, secret: str = SECRET, age: int = 0, by: Client | None = None, **headers: str
) -> Any:
    """Deliver an event as Stripe does, signed so many seconds ago; return the answer."""
    body = json.dumps(event)
    return (by or Client()).post(
        "/webhooks/stripe/",
        body,
        content_type="application/json",
        headers={"Stripe-Signature": signature(body, secret, age)} | headers,
    )


def signature(body: str, secret: str, age: int = 0) -> str:
    """Sign as Stripe does."""
    moment = int(time.time()) - age
    digest = hmac.new(secret.encode(), f"{moment}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"

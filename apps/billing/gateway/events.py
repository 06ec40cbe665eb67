"""Read a delivery of Stripe's, and list what it has told."""

import json
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

import stripe
from django.conf import settings

from apps.billing.errors import SignatureRefused
from apps.billing.gateway.client import Json, ask

TOLERANCE_SECONDS = 300  # between Stripe's clock and ours, both ways
PAGE = 100


def read_delivery(body: bytes, signature: str) -> Json:
    """
    Return the event in a delivery, after its signature was found to be right.

    Each of STRIPE_WEBHOOK_SECRETS may have signed it, so that a secret can be replaced
    without losing a delivery. The SDK takes any signature of the future; this does not.

    :raises SignatureRefused: if none did, or if it is older or younger than five minutes.
    """
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
        except (stripe.SignatureVerificationError, ValueError):
            continue
        if _signed_at(signature) > time.time() + TOLERANCE_SECONDS:
            break
        event: Json = json.loads(body)
        return event
    raise SignatureRefused


def list_events(*, since: datetime) -> Iterator[Json]:
    """
    Yield the events that Stripe has told from a moment on, the newest first.

    Stripe keeps them for 30 days.
    """
    after: dict[str, Any] = {}
    while True:
        params = {"created": {"gte": int(since.timestamp())}, "limit": PAGE, **after}
        page = ask(partial(_page, params))
        yield from page["data"]
        if not page["has_more"]:
            return
        after = {"starting_after": page["data"][-1]["id"]}


def _page(params: Json, stripe: Any, options: Any) -> Any:
    return stripe.events.list(params, options)


def _signed_at(signature: str) -> int:
    parts: Iterable[list[str]] = (part.split("=", 1) for part in signature.split(","))
    return next((int(part[1]) for part in parts if part[0] == "t" and part[1].isdigit()), 0)

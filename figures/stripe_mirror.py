"""dj-stripe, unmodified but for our module on shapes: does it mirror every event?"""

import json
import traceback
from collections import Counter
from contextlib import suppress
from typing import Any

import stripe
from django.test import override_settings
from djstripe import models

from figures.lines import Report
from figures.stripe_served import all_events, served
from tests.database import migrated_database
from tests.simulator.conformance.scenarios import KEY, Shop, load

LEAST = 300


def djstripe_mirrored(report: Report) -> None:
    """Play every scenario, and give every event of it to dj-stripe."""
    before = stripe.api_base
    with migrated_database(), served() as shop:
        stripe.api_base = shop.url
        try:
            with override_settings(STRIPE_TEST_SECRET_KEY=KEY, STRIPE_LIVE_MODE=False):
                _mirror(report, shop)
        finally:
            stripe.api_base = before


def _mirror(report: Report, shop: Shop) -> None:
    with report.figure("djstripe_mirrored", asked=LEAST) as figure:
        failed: Counter[str] = Counter()
        for one in load():
            shop.world.reset()
            with suppress(Exception):  # `conformance` tells of those that fail
                one.play(shop)
            events = all_events(shop)
            figure.examined += len(events)
            for event in events:
                if why := _refused(json.loads(str(event))):
                    failed[f"{event.type}: {why}"] += 1
        figure.failures = figure.examined - models.Event.objects.count()
        figure.control = "red" if _refused(UNKNOWN) else "green"
        for what, count in failed.most_common(25):
            print(f"    {count} x {what}")
        _count_rows()


def _refused(event: dict[str, Any]) -> str | None:
    """Give an event to dj-stripe; return why it does not want it."""
    try:
        models.Event.process(event, api_key=KEY)
    except Exception:
        return traceback.format_exc(limit=0).strip().splitlines()[-1][:150]
    return None


# An event of a customer that does not exist: whoever fetches it must notice.
UNKNOWN = {
    "id": "evt_unknown",
    "object": "event",
    "api_version": stripe.api_version,
    "created": 1_770_000_000,
    "livemode": False,
    "type": "customer.updated",
    "data": {"object": {"id": "cus_none", "object": "customer"}},
    "request": {"id": None, "idempotency_key": None},
    "pending_webhooks": 0,
}


def _count_rows() -> None:
    names = ("Customer", "Charge", "PaymentIntent", "Subscription", "Invoice", "Dispute", "Session")
    counts = " ".join(f"{name}={getattr(models, name).objects.count()}" for name in names)
    print(f"    rows: {counts}")

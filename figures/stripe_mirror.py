"""dj-stripe, unmodified but for our module on shapes: does it mirror every event?"""

import json
import traceback
from collections import Counter

import stripe
from django.test import override_settings
from djstripe import models

from figures.lines import Report
from figures.stripe_served import all_events, served
from tests.database import migrated_database
from tests.simulator.conformance.scenarios import KEY, load


def djstripe_mirrored(report: Report) -> None:
    """Play all scenarios on one account, and give every event to dj-stripe."""
    with migrated_database(), served() as shop:
        for one in load():
            try:
                one.play(shop)
            except Exception as error:
                print(f"    {one.name}: {str(error)[:120]}")
        events = all_events(shop)
        before = stripe.api_base
        stripe.api_base = shop.url
        try:
            with override_settings(STRIPE_TEST_SECRET_KEY=KEY, STRIPE_LIVE_MODE=False):
                _mirror(report, events)
        finally:
            stripe.api_base = before


def _mirror(report: Report, events: list[stripe.Event]) -> None:
    with report.figure("djstripe_mirrored", asked=len(events)) as figure:
        failed: Counter[str] = Counter()
        for event in events:
            try:
                models.Event.process(json.loads(str(event)), api_key=KEY)
            except Exception:
                why = traceback.format_exc(limit=0).strip().splitlines()[-1]
                failed[f"{event.type}: {why[:150]}"] += 1
        figure.examined = len(events)
        figure.failures = len(events) - models.Event.objects.count()
        figure.control = "red" if _is_refused() else "green"
        for what, count in failed.most_common(25):
            print(f"    {count} x {what}")
        _count_rows()


def _is_refused() -> bool:
    """Say whether an event of an object that the simulator does not have fails."""
    data = {
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
    try:
        models.Event.process(data, api_key=KEY)
    except Exception:
        return True
    return False


def _count_rows() -> None:
    names = ("Customer", "Charge", "PaymentIntent", "Subscription", "Invoice", "Dispute", "Session")
    counts = " ".join(f"{name}={getattr(models, name).objects.count()}" for name in names)
    print(f"    rows: {counts}")

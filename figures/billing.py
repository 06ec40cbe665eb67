"""`make figures-5`: what Stripe tells, in any order and however often, has its effect once."""

import json
import logging
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.conf import settings

from apps.billing.models import Payment, WebhookEvent
from apps.billing.services import inbox
from apps.core import ids, queue
from apps.credits.models import Lot
from figures.beside import beside
from figures.billing_shop import GeneratedShop
from figures.billing_state import (
    State,
    broken,
    differences,
    digest,
    state,
    unsettled,
    wrong_money,
)
from figures.billing_workers import (
    KILLS,
    TIMES,
    Workers,
    deliverers,
    let_put_off_ones_come,
)
from figures.intake import intake
from figures.lines import SEED, Report, scaled
from figures.reloads import auto_reload
from figures.stripe_served import Shop, all_events, served
from tests.billing.stripe import SECRET, handle_everything
from tests.database import copied_database, migrated_database

EVENTS = 10_000
OF_CONTROL = 500  # events that are told to one without natural keys
Event = dict[str, Any]


def main(chosen: list[str]) -> None:
    """Print every figure of billing, or those of the parts that are named."""
    report = Report()
    logging.disable(logging.ERROR)  # what is put off and comes again is no news here
    if chosen:
        for name in chosen:
            measure(report, name)
    else:
        with beside(report, "figures.billing", "reloads"):
            measure(report, "events")
        measure(report, "intake")  # by itself: it measures times
    report.end()


def measure(report: Report, name: str) -> None:
    """Print one part, with a database and a stand-in for Stripe of its own."""
    with migrated_database(), served(is_checked=False) as shop, configured(shop):
        PARTS[name](report, shop)


@contextmanager
def configured(shop: Shop) -> Iterator[None]:
    """Let billing speak to the stand-in, and let nobody ring: the workers look by themselves."""
    values = {
        "STRIPE_SECRET_KEY": "sk_test_" + "a" * 24,
        "STRIPE_API_URL": shop.url,
        "STRIPE_WEBHOOK_SECRETS": [SECRET],
    }
    with mock.patch.multiple(settings, **values), mock.patch.object(queue, "_ring"):
        yield


def the_shop(report: Report, shop: Shop) -> None:
    """Generate a shop once, and tell its events in order, in disorder, and without keys."""
    generated = GeneratedShop(shop, random.Random(SEED))
    generated.open()
    generated.live(scaled(EVENTS))
    events = [json.loads(str(event)) for event in all_events(shop)]
    with report.figure("events_in_order", asked=scaled(EVENTS)) as figure, copied_database():
        expected = in_order(events)
        figure.examined = WebhookEvent.objects.count()
        figure.failures = unsettled() + broken() + wrong_money(shop)
        handled = WebhookEvent.objects.filter(status="processed").count()
        print(f"    handled={handled} state={digest(expected)}")
    with report.figure("events_in_disorder", asked=scaled(EVENTS)) as figure:
        with copied_database() as name:
            kills = in_disorder(events, name, handled)
            figure.examined = WebhookEvent.objects.filter(deliveries=TIMES).count()
            figure.failures = differences(expected, state()) + unsettled() + broken()
            figure.failures += wrong_money(shop) + (kills < KILLS)
            print(f"    deliveries={len(events) * TIMES} kills={kills} state={digest(state())}")
        with copied_database(), without_natural_keys():
            in_order(events[:OF_CONTROL])
            forget_the_end()
            handle_everything()
            doubled = Lot.objects.filter(kind=Lot.Kind.PURCHASE).count() - settled()
            figure.control = "red" if doubled else "green"
            print(f"    granted twice without natural keys: {doubled}")


def in_order(events: Sequence[Event]) -> State:
    """Tell each event once, after all that came before it was handled; return the end."""
    for event in events:
        inbox.receive(event, source="webhook")
        inbox.process(inbox.subject_of(event["data"]["object"]))
    while WebhookEvent.objects.filter(status="pending").exists():
        let_put_off_ones_come()
        handle_everything()
    return state()


def in_disorder(events: Sequence[Event], database: str, handled: int) -> int:
    """Deliver each event three times, four at once, while workers are killed; return the kills."""
    with Workers(database) as workers, deliverers(events, database) as delivering:
        workers.live_through(handled)
        answered, _ = delivering.communicate()
        assert int(answered) == len(events) * TIMES, "every delivery is answered with 200"
        workers.finish()
        return workers.kills


@contextmanager
def without_natural_keys() -> Iterator[None]:
    """Let what is granted for a payment have a new cause each time."""
    with mock.patch.object(Payment, "reference", property(lambda payment: f"x:{ids.new_id()}")):
        yield


def forget_the_end() -> None:
    """Let each event and payment be as if its effect were still to come; its lot is there."""
    WebhookEvent.objects.filter(status="processed").update(status="pending", processed_at=None)
    Payment.objects.filter(status="succeeded").update(status="created", settled_at=None)


def settled() -> int:
    """Return how many payments succeeded."""
    return Payment.objects.filter(status=Payment.Status.SUCCEEDED).count()


PARTS = {"events": the_shop, "reloads": auto_reload, "intake": intake}

if __name__ == "__main__":
    main(sys.argv[1:])

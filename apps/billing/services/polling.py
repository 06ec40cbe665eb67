"""Fill the gaps: ask Stripe for the events that no webhook brought."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import batched

from django.db.models import Max

from apps.billing.gateway import events
from apps.billing.models import WebhookEvent
from apps.billing.services import inbox
from apps.billing.services.handling import Json
from apps.core.clock import database_now
from apps.core.db import outside_transaction

OVERLAP = timedelta(hours=1)  # events are listed a little later than others that are younger
KEPT_BY_STRIPE = timedelta(days=30)
BATCH = 100


@outside_transaction
def poll(*, is_whole: bool = False) -> int:
    """
    Put the events into the inbox that are missing there; return how many these were.

    From an hour before the newest event that we know, or, if `is_whole`, everything that
    Stripe still has, which is 30 days. Nothing is kept before all of it is listed, and then the
    oldest first, because the newest one that we know says where the next round begins. Where a
    webhook moves that on after an outage, Stripe's own repeats and the whole round fill the gap.

    :raises BillingNotConfigured: if there is no key for Stripe.
    :raises StripeUnavailable: if Stripe does not answer; the next round finds the same gap.
    """
    since = database_now() - KEPT_BY_STRIPE
    newest = WebhookEvent.objects.aggregate(newest=Max("told_at"))["newest"]
    if newest is not None and not is_whole:
        since = max(since, newest - OVERLAP)
    missing = list(_missing(events.list_events(since=since)))
    return sum(inbox.receive(event, source="poll") for event in reversed(missing))


def _missing(told: Iterable[Json]) -> Iterator[Json]:
    for batch in batched(told, BATCH):
        ids = {event["id"] for event in batch}
        known = WebhookEvent.objects.filter(event_id__in=ids).values_list("event_id", flat=True)
        here = set(known)
        yield from (event for event in batch if event["id"] not in here)

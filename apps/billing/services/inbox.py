"""
The inbox: every event of Stripe's is kept once, and has its effect once.

Rows are the queue (docs/adr/0007): whoever rings only says "look". A worker claims one event
of a subject at a time, asks Stripe for the object as it is now, and writes the effect and
the event's end in one transaction. The claim of a worker that died ends by itself.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, Subquery

from apps.billing.errors import StripeUnavailable, WrongMode
from apps.billing.models import Customer, WebhookEvent
from apps.billing.services import (
    handlers,  # noqa: F401  so that every handler is known
    sandbox_clocks,
)
from apps.billing.services.handling import Handler, Json, News, NotKnownYet, handler_of
from apps.core import context, ids
from apps.core.clock import database_now, now_in_query, workers_now
from apps.core.db import inside_transaction
from apps.core.queue import enqueue
from apps.tenants.services.audit import record

logger = structlog.get_logger(__name__)
LEASE = timedelta(minutes=5)  # longer than any handler takes, its questions to Stripe included
BACK_OFF = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200)]
MOST_ATTEMPTS = len(BACK_OFF) + 1
WHILE_AWAY = timedelta(seconds=30)  # Stripe does not answer; that is no fault of the event
LONGEST_ERROR = 2000  # characters


class ClaimLost(Exception):
    """Another worker has the event by now, or may have it soon: nothing was written."""


@transaction.atomic
def receive(event: Json, *, source: str) -> bool:
    """
    Keep an event that is known to be Stripe's, and ring; return whether it was new.

    Once this has committed the event will have its effect, whatever happens to this process,
    to Redis or to Stripe. One that was here before is only counted.

    :raises WrongMode: if it is of live mode and we are not, or the other way round.
    """
    if bool(event["livemode"]) != settings.STRIPE_LIVE_MODE:
        raise WrongMode(expected="live" if settings.STRIPE_LIVE_MODE else "test")
    row = _row(event, source)
    WebhookEvent.objects.bulk_create([row], ignore_conflicts=True)
    twin = WebhookEvent.objects.exclude(pk=row.pk).filter(
        account=row.account, is_live=row.is_live, event_id=row.event_id
    )
    if twin.update(deliveries=F("deliveries") + 1):
        return False
    if row.status == WebhookEvent.Status.PENDING:
        enqueue("billing.process_events", subject=row.subject)
    return True


def _row(event: Json, source: str) -> WebhookEvent:
    about = event["data"]["object"]
    is_ours = handler_of(event["type"]) is not None
    return WebhookEvent(
        event_id=event["id"],
        account=event.get("account") or "",
        is_live=event["livemode"],
        type=event["type"],
        subject=subject_of(about),
        object_id=about.get("id") or "",
        told_at=datetime.fromtimestamp(event["created"], UTC),
        payload=event,
        source=source,
        status=WebhookEvent.Status.PENDING if is_ours else WebhookEvent.Status.IGNORED,
    )


def subject_of(about: Json) -> str:
    """
    Return what the events are about that must not be handled beside each other.

    The customer; where the object names none (refund, dispute), the payment; else itself.
    """
    if about.get("object") == "customer":
        return str(about["id"])
    for name in ("customer", "payment_intent", "id"):
        if value := about.get(name):
            return str(value["id"] if isinstance(value, Mapping) else value)
    return f"{about.get('object')}"


def process(subject: str) -> int:
    """
    Handle what is due of a subject, in the order in which Stripe told it; return how many.

    Safe from several workers at once, and to repeat. One event that fails is tried again
    later, and does not keep the ones behind it.
    """
    handled = 0
    while (event := claim(subject)) is not None:
        handled += 1
        _handle(event)
    return handled


def claim(subject: str) -> WebhookEvent | None:
    """
    Take the subject's first event that is due, unless a worker has one of them.

    An event whose worker died comes before all others of its subject.
    """
    now, mark = now_in_query(), ids.new_id()
    of_subject = WebhookEvent.objects.filter(subject=subject)
    due = of_subject.filter(status=WebhookEvent.Status.PENDING, due_at__lte=now)
    first = due.order_by(F("claimed_until").asc(nulls_last=True), "told_at", "id").values("pk")[:1]
    free = due.filter(Q(claim=None) | Q(claimed_until__lte=now))
    try:
        taken = free.filter(pk=Subquery(first)).update(
            claim=mark,
            claimed_until=now + LEASE,
            attempts=F("attempts") + 1,  # counted now: what kills its worker ends as well
        )
    except IntegrityError:  # another worker has just taken another event of this subject
        return None
    return of_subject.get(claim=mark) if taken else None


def _handle(event: WebhookEvent) -> None:
    """Carry one event out, or write down why not."""
    handler = handler_of(event.type)
    try:
        if handler is None or event.attempts > MOST_ATTEMPTS:
            raise RuntimeError("No handler knows it." if handler is None else "Its worker died.")
        told = event.payload["data"]["object"]
        about = handler.fetch(told)
        with context.acting(actor="system:stripe", request_id=event.event_id):
            _apply(event, handler, told, about)
    except ClaimLost:
        logger.warning("stripe_event_claim_lost", event_id=event.event_id)
    except StripeUnavailable as error:
        _put_off(event, error, attempts=event.attempts - 1, until=WHILE_AWAY)
    except NotKnownYet as error:  # usual: another event, or our own commit, has yet to come
        logger.info("stripe_event_early", event_id=event.event_id, why=str(error))
        _fail(event, error)
    except Exception as error:  # whatever a handler breaks on, the event is kept and tried again
        logger.exception("stripe_event_failed", event_id=event.event_id, type=event.type)
        _fail(event, error)


@transaction.atomic
def _apply(event: WebhookEvent, handler: Handler, told: Json, about: Json) -> None:
    """
    Write the effect and the end of the event together.

    :raises ClaimLost: if the claim has ended meanwhile: what we asked may be out of date.
    """
    customers = Customer.objects.select_for_update(of=("self",)).select_related("organization")
    customer = customers.filter(stripe_id=event.subject).first()
    now = now_in_query()
    done = WebhookEvent.objects.filter(
        pk=event.pk, claim=event.claim, claimed_until__gt=now
    ).update(
        status=WebhookEvent.Status.PROCESSED,
        processed_at=now,
        claim=None,
        claimed_until=None,
        error="",
    )
    if not done:
        raise ClaimLost
    with sandbox_clocks.moment_of(customer):
        handler.apply(News(event.type, about, told, customer))


def _fail(event: WebhookEvent, error: Exception) -> None:
    """Try again later; after the last attempt a person has to look, or it was never ours."""
    if event.attempts < MOST_ATTEMPTS:
        return _put_off(event, error, attempts=event.attempts, until=BACK_OFF[event.attempts - 1])
    is_foreign = isinstance(error, NotKnownYet)
    status = WebhookEvent.Status.IGNORED if is_foreign else WebhookEvent.Status.DEAD
    _release(event, error, status=status)
    told = logger.warning if is_foreign else logger.error
    told("stripe_event_given_up", event_id=event.event_id, type=event.type, status=status)
    return None


def _put_off(event: WebhookEvent, error: Exception, *, attempts: int, until: timedelta) -> None:
    _release(event, error, attempts=attempts, due_at=database_now() + until)


def _release(event: WebhookEvent, error: Exception, **changes: Any) -> None:
    """Give the event back, unless the claim has gone to another worker."""
    told = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
    WebhookEvent.objects.filter(pk=event.pk, claim=event.claim).update(
        claim=None, claimed_until=None, error=told, **changes
    )


@inside_transaction
def hurry(subject: str) -> None:
    """Let what came too early about a subject be handled as soon as this commits."""
    early = WebhookEvent.objects.filter(
        subject=subject, status=WebhookEvent.Status.PENDING, claim=None
    )
    if early.update(due_at=workers_now()):
        enqueue("billing.process_events", subject=subject)


def due_subjects(*, limit: int = 100) -> list[str]:
    """Return subjects with events that are due and in nobody's hands, the longest due first."""
    now = now_in_query()
    due = WebhookEvent.objects.filter(status=WebhookEvent.Status.PENDING, due_at__lte=now)
    free = due.filter(claim=None) | due.filter(claimed_until__lte=now)
    rows = free.order_by("due_at").values_list("subject", flat=True)[: limit * 10]
    return list(dict.fromkeys(rows))[:limit]


@transaction.atomic
def replay(event: WebhookEvent) -> None:
    """
    Let a worker handle an event once more: one that is dead, was ignored, or was processed.

    What it did before it does not do again, because effects have keys of their own.
    """
    event = _lock(event)
    if event.status != WebhookEvent.Status.PENDING:
        _decide(event, "replay", WebhookEvent.Status.PENDING)
        WebhookEvent.objects.filter(pk=event.pk).update(
            processed_at=None, attempts=0, error="", due_at=database_now()
        )
    enqueue("billing.process_events", subject=event.subject)


@transaction.atomic
def ignore(event: WebhookEvent) -> bool:
    """End a dead event without effect; return False if it is not dead."""
    event = _lock(event)
    if event.status != WebhookEvent.Status.DEAD:
        return False
    _decide(event, "ignore", WebhookEvent.Status.IGNORED)
    return True


def _lock(event: WebhookEvent) -> WebhookEvent:
    return WebhookEvent.objects.select_for_update(no_key=True).get(pk=event.pk)


def _decide(event: WebhookEvent, verb: str, status: WebhookEvent.Status) -> None:
    """Give the event another state because a person said so, and write that down."""
    record(
        action=f"stripe_event.{verb}",
        object_id=event.public_id,
        before={"status": event.status},
        after={"status": status.value},
        reason=event.event_id,
    )
    WebhookEvent.objects.filter(pk=event.pk).update(status=status, processed_at=None)

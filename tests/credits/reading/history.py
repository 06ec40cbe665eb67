"""Wallets with a past, for tests that read it."""

import random
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import time_machine
from django.db import transaction

from apps.core import context
from apps.core.clock import moved_to
from apps.core.errors import DomainError
from apps.credits import selectors
from apps.credits.ledger.commands import Grant
from apps.credits.ledger.posting import post_one
from apps.credits.models import Lot
from apps.credits.services.charges import charge_event, refund_charge
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.prices import set_price
from tests.people import make_organization

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def make_reading_wallet(**fields):
    """Return the main wallet of a new organization, with two priced events."""
    with moved_to(NOON - 400 * DAY):
        set_price(name="render", credit_cost=10, category="compute", unit="render")
        set_price(name="store", credit_cost=1, category="storage", unit="file")
    # A trial is granted at birth, and a wallet's time never steps back.
    with at(fields.pop("born_at", NOON)):
        return selectors.main_wallet(make_organization(**fields))


@contextmanager
def at(moment):
    """Let the ledger's clock and that of Django stand at a moment."""
    with moved_to(moment), time_machine.travel(moment, tick=False):
        yield


@transaction.atomic
def grant(wallet, reference, amount=100, kind=Lot.Kind.PURCHASE, **fields):
    cause = {"wallet_id": wallet.id, "reference": reference, "source": "test"}
    return post_one(Grant(**cause, kind=str(Lot.Kind(kind)), amount=amount, **fields))


def charge(wallet, reference, quantity=1, event="render", actor="user:one", **fields):
    with context.acting(actor=actor):
        return charge_event(
            wallet=wallet,
            event=event,
            quantity=quantity,
            reference=reference,
            source=fields.pop("source", "test"),
            **fields,
        )


def refund(wallet, of, reference=None, **fields):
    with context.acting(actor="system:jobs"):
        return refund_charge(
            wallet=wallet,
            charge_reference=of,
            reference=reference or f"refund:{of}",
            source="test",
            **fields,
        )


def random_life(wallet, *, seed, steps=60):
    """Let a wallet live; return each moment with what was true at it, read live at the time."""
    rng = random.Random(seed)
    seen = []
    now = NOON
    charges = []
    for number in range(steps):
        now += rng.choice([HOUR, 5 * HOUR, DAY, timedelta(microseconds=1)])
        with at(now):
            with suppress(DomainError):
                _one_step(wallet, rng, now, number, charges)
            seen.append((now, selectors.balance_of(wallet), open_now(wallet)))
    return seen


def _one_step(wallet, rng, now, number, charges):
    what = rng.choice(["grant", "charge", "charge", "charge", "refund", "sweep"])
    if what == "grant":
        grant(
            wallet,
            f"grant:{number}",
            rng.randint(1, 200),
            rng.choice(list(Lot.Kind)[:6]),
            effective_at=rng.choice([None, now + 2 * DAY]),
            expires_at=rng.choice([None, now + 3 * DAY, now + 9 * DAY]),
        )
    elif what == "charge":
        charge(wallet, f"job:{number}", rng.randint(1, 5))
        charges.append(f"job:{number}")
    elif what == "refund" and charges:
        refund(wallet, rng.choice(charges), f"refund:{number}", is_our_fault=rng.random() < 0.5)
    elif what == "sweep":
        sweep_expired_lots()


def open_now(wallet):
    return [(lot.id, lot.remaining) for lot in selectors.lots_in_burn_order(wallet)]

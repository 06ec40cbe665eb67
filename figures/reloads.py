"""Automatic reload from 32 connections at once: one charge each time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction

from apps.billing.models import AutoReload, Payment
from apps.billing.selectors.reloads import Facts, card_of, size_of, why_not
from apps.billing.services import reload_settings, reloads
from apps.billing.services.customers import ensure_customer
from apps.core import context, scope
from apps.tenants.models import Organization
from figures.lines import Report, scaled
from figures.stripe_served import Shop
from tests.people import make_organization, make_person
from tests.races.racing import at_once

RACERS = 32
ROUNDS = 80  # the aim is 1,000 (SCALE=12.5); so many end in four minutes on two cores
CONTROLS = 5
INDEX = "billing_one_reload_at_a_time"
Worker = Callable[[UUID], Payment | None]


def auto_reload_races(report: Report, shop: Shop) -> None:
    """Ring 32 workers for one organization at the same moment, again and again."""
    rounds = scaled(ROUNDS)
    with report.figure("auto_reload_races", asked=rounds) as figure:
        for _ in range(rounds):
            figure.examined += 1
            figure.failures += race(shop, reloads.reload_if_low) != 1
        with no_unique_index():
            charged = max(race(shop, check_then_act) for _ in range(CONTROLS))
            figure.control = "red" if charged > 1 else "green"
            print(f"    racers={RACERS} charges without lock and index: {charged}")


def race(shop: Shop, work: Worker) -> int:
    """Let an organization fall low, ring everybody at once, and return how often it paid."""
    organization = low_organization(shop)
    at_once([lambda: work(organization.pk)] * RACERS)
    customer = ensure_customer(organization=organization)
    listed = shop.v1.payment_intents.list({"customer": customer.stripe_id or "", "limit": 100})
    return sum(one.status == "succeeded" for one in listed.data)


def low_organization(shop: Shop) -> Organization:
    """Return an organization with a card and an agreement, and fewer credits than it wants."""
    organization = make_organization(name="Low")
    customer = ensure_customer(organization=organization)
    method = shop.v1.payment_methods.attach("pm_card_visa", {"customer": customer.stripe_id or ""})
    customer.payment_method_id = method.id
    customer.card_brand, customer.card_last4 = "visa", "4242"
    customer.save()
    with transaction.atomic():
        reload_settings.set_reload(
            organization=organization,
            user=make_person(),
            wanted=reload_settings.Wanted(is_enabled=True, threshold=500, amount=1000),
            has_agreed=True,
        )
    return organization


def check_then_act(organization_id: UUID) -> Payment | None:
    """Do the same as it must not be done: look first, without a lock, and then charge."""
    with scope.within(organization_id), context.acting(actor=reloads.ACTOR):
        reload = AutoReload.objects.select_related("organization").get(
            organization_id=organization_id
        )
        facts, customer = Facts(reload.organization), card_of(reload.organization)
        if why_not(reload, facts) or facts.terms is None or customer is None:
            return None
        credits = size_of(reload, facts.available, facts.terms)
        with transaction.atomic():
            payment = reloads._write_down(reload, customer, facts.terms, credits)
        return reloads.charge(payment)


@contextmanager
def no_unique_index() -> Iterator[None]:
    """Take the database's own guard away, and put it back over what is there then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [INDEX])
        definition = cursor.fetchone()[0]
        cursor.execute(f"DROP INDEX {INDEX}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(definition)

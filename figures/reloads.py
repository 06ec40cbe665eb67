"""Automatic reload from 32 connections at once: one charge each time, whatever goes wrong."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from apps.billing.gateway import reloads as gateway
from apps.billing.models import AutoReload, Payment
from apps.billing.selectors.reloads import Facts, card_of, size_of, why_not
from apps.billing.services import reload_outcomes, reload_settings, reloads
from apps.billing.services.customers import ensure_customer
from apps.core import context, ids, scope
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount
from apps.tenants.models import Organization
from figures.lines import Report, scaled
from figures.stripe_served import Shop
from tests.people import make_organization, make_person
from tests.races.racing import Team, team

RACERS, SWEEPS = 32, 4
ROUNDS = 1000
AGAIN = 20  # rounds of one organization
DECLINED, LOST = 20, 100  # organizations whose card declines, or whose answers get lost
TRIES = 5  # of a card that declines; three of them reach the bank
CONTROLS = 5
BOUGHT = 1000  # credits of a reload
SILENCE_SECONDS = "0.05"
INDEX = "billing_one_reload_at_a_time"
DECLINING = "pm_card_chargeCustomerFail"
Worker = Callable[[UUID], Payment | None]


def auto_reload(report: Report, shop: Shop) -> None:
    """Print what automatic reload does in races, with a bad card, and when answers get lost."""
    with team(RACERS) as racers:
        races(report, shop, racers)
        declines(report, shop, racers)
        lost_answers(report, shop, racers)


def races(report: Report, shop: Shop, racers: Team) -> None:
    """Ring all workers for one organization at the same moment, again and again."""
    rounds = scaled(ROUNDS)
    with report.figure("auto_reload_races", asked=rounds) as figure:
        while figure.examined < rounds:
            organization = low_organization(shop)
            for _ in range(min(AGAIN, rounds - figure.examined)):
                figure.examined += 1
                done = race(shop, racers, organization, reloads.reload_if_low)
                figure.failures += done != (1, BOUGHT)
                fall_low(organization)
        with no_unique_index():
            charges = [
                race(shop, racers, low_organization(shop), check_then_act)[0]
                for _ in range(CONTROLS)
            ]
        figure.control = "red" if max(charges) > 1 else "green"
        print(f"    racers={RACERS} charges without lock and index: {charges}")


def race(shop: Shop, racers: Team, organization: Organization, work: Worker) -> tuple[int, int]:
    """Ring everybody at once; return how often the card was charged, and the credits granted."""
    charges, balance = sum(charged(shop).values()), main_wallet(organization).balance
    racers.at_once([lambda: work(organization.pk)] * RACERS)
    granted = main_wallet(organization).balance - balance
    return sum(charged(shop).values()) - charges, granted


def declines(report: Report, shop: Shop, racers: Team) -> None:
    """Ring for organizations whose card always declines: three attempts, then it is off."""
    asked = scaled(DECLINED)
    with report.figure("auto_reload_declines", asked=asked) as figure:
        for _ in range(asked):
            figure.examined += 1
            figure.failures += tries_of_a_bad_card(shop, racers) != 3
        with mock.patch.object(reload_outcomes, "note_move"):
            tries = tries_of_a_bad_card(shop, racers)
        figure.control = "red" if tries > 3 else "green"
        print(f"    attempts where nobody counts the declines: {tries} of {TRIES}")


def tries_of_a_bad_card(shop: Shop, racers: Team) -> int:
    """Return how often the bank was asked; more than three if it is not off in the end."""
    organization = low_organization(shop, card=DECLINING)
    for _ in range(TRIES):
        racers.at_once([lambda: reloads.reload_if_low(organization.pk)] * RACERS)
        let_pass(organization, timedelta(hours=7))  # longer than any pause after a decline
    tries = len(intents(shop, organization))
    has_granted = Lot.objects.filter(organization=organization, kind=Lot.Kind.PURCHASE).exists()
    reload = AutoReload.objects.get(organization=organization)
    is_off = (reload.state, reload.reason) == (
        AutoReload.State.SUSPENDED,
        AutoReload.Reason.DECLINED,
    )
    return tries if is_off and not has_granted else TRIES + 1


def lost_answers(report: Report, shop: Shop, racers: Team) -> None:
    """Let Stripe charge and say nothing; sweeps ask again, several at once: one charge, a grant."""
    asked = scaled(LOST)
    with report.figure("auto_reload_lost_answers", asked=asked) as figure:
        organizations = [low_organization(shop) for _ in range(asked)]
        figure.failures = charged_otherwise_than_once(shop, racers, organizations)
        figure.examined = asked
        with mock.patch.object(gateway, "charge_saved_card", charge_with_new_key):
            others = [low_organization(shop) for _ in range(CONTROLS)]
            doubled = charged_otherwise_than_once(shop, racers, others)
        figure.control = "red" if doubled else "green"
        print(f"    charged twice when asked again with another key: {doubled} of {CONTROLS}")


def charged_otherwise_than_once(shop: Shop, racers: Team, organizations: list[Organization]) -> int:
    """Lose each answer to a charge, resume them all; return for how many that was not once."""
    rule = {"effect": "timeout_after", "method": "POST", "path": "/v1/payment_intents"}
    shop.world.chaos.add({**rule, "seconds": SILENCE_SECONDS})
    for start in range(0, len(organizations), RACERS):
        some = organizations[start : start + RACERS]
        works = [lambda one=one: reloads.reload_if_low(one.pk) for one in some]  # type: ignore[misc]
        racers.at_once(works + [nothing] * (RACERS - len(works)))
    shop.world.chaos.clear()
    mine = Payment.objects.filter(organization__in=organizations)
    wrong = mine.exclude(status=Payment.Status.UNKNOWN).count()  # an answer was not lost
    for organization in organizations:
        let_pass(organization, timedelta(minutes=2))
    while mine.filter(status=Payment.Status.UNKNOWN).exists():
        racers.at_once([reloads.sweep] * SWEEPS + [nothing] * (RACERS - SWEEPS))
    found = charged(shop)
    for organization in organizations:
        customer = ensure_customer(organization=organization).stripe_id
        lots = Lot.objects.filter(organization=organization, kind=Lot.Kind.PURCHASE)
        granted = list(lots.values_list("granted", flat=True))
        wrong += (found[customer], granted) != (1, [BOUGHT])
    return wrong


def nothing() -> None:
    """Do nothing, where fewer work at once than there are threads."""


_charge_saved_card = gateway.charge_saved_card


def charge_with_new_key(*, key: str, question: reloads.Json) -> reloads.Json:
    """Ask as it must not be done: the same question once more, as if it were another one."""
    return _charge_saved_card(key=str(ids.new_id()), question=question)


def charged(shop: Shop) -> Counter[str | None]:
    """Return how often each customer's card was charged, by the books of the stand-in."""
    rows = shop.world.store.kinds["payment_intent"].rows.values()
    return Counter(row["customer"] for row in rows if row["status"] == "succeeded")


def intents(shop: Shop, organization: Organization) -> list[str]:
    """Return the attempts that Stripe knows of."""
    customer = ensure_customer(organization=organization)
    listed = shop.v1.payment_intents.list({"customer": customer.stripe_id or "", "limit": 100})
    return [one.id for one in listed.data]


def low_organization(shop: Shop, card: str = "pm_card_visa") -> Organization:
    """Return an organization with a card and an agreement, and fewer credits than it wants."""
    organization = make_organization(name="Low")
    customer = ensure_customer(organization=organization)
    method = shop.v1.payment_methods.attach(card, {"customer": customer.stripe_id or ""})
    customer.payment_method_id = method.id
    customer.card_brand, customer.card_last4 = "visa", "4242"
    customer.save()
    with transaction.atomic():
        reload_settings.set_reload(
            organization=organization,
            user=make_person(),
            wanted=reload_settings.Wanted(is_enabled=True, threshold=500, amount=BOUGHT),
            has_agreed=True,
        )
    return organization


def fall_low(organization: Organization) -> None:
    """Spend what was bought, and let a day pass."""
    wallet = main_wallet(organization)
    charge_amount(wallet=wallet, amount=BOUGHT, reference=f"use:{ids.new_id()}", source="figure")
    let_pass(organization, timedelta(days=1))


def let_pass(organization: Organization, time: timedelta) -> None:
    """Let all that an organization's reloads remember be so much longer ago."""
    Payment.objects.filter(organization=organization).update(
        created_at=F("created_at") - time, asked_at=F("asked_at") - time
    )
    AutoReload.objects.filter(organization=organization).update(
        last_attempt_at=F("last_attempt_at") - time, back_off_until=F("back_off_until") - time
    )


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

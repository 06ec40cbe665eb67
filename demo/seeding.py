"""
Fill an instance with people, history and pictures, through the services.

The same seed gives the same demo. Dates are relative to today: the ledger's clock is
moved for the history, so that balances and chains are as true as those of real days.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from allauth.account.models import EmailAddress
from django.db import transaction

from apps.core import clock, context
from apps.credits import selectors
from apps.credits.models import Lot, Wallet
from apps.credits.services import charges, closing, grants, prices
from apps.rbac.permissions import SCOPES
from apps.rbac.services.keys import create_key
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import Organization, User
from apps.tenants.services.organizations import create_organization
from demo import (
    access,
    budgets,
    capacity,
    invitations,
    keys,
    ledger,
    programme,
    support,
    waiting,
)
from demo import organizations as life
from demo.people import CUSTOMERS, ORGANIZATIONS, PASSWORD, STAFF, Person

SEED = 20261121
EVENT = "image.restyle"
AGE_DAYS = {
    "acme": 60,
    "sunrise-studio": 12,
    "empty-hands": 13,
    "green-neighbours": 3,
    "open-account": 20,
    "sandbox": 1,
}


@dataclass(frozen=True)
class Seeded:
    """What was made, to be printed."""

    people: tuple[Person, ...]
    api_keys: dict[str, str]  # organization's slug → secret


def is_seeded() -> bool:
    """Tell whether this database has the demo already."""
    return Organization.objects.filter(slug="acme").exists()


@transaction.atomic
def seed_people_and_history() -> Seeded:
    """Create staff, customers, prices, two months of movements and one API key."""
    now = datetime.now(UTC)
    with context.acting(actor="system:demo"):
        staff, *_ = [_create_user(one, is_staff=True, is_superuser=True) for one in STAFF]
        with clock.moved_to(now - timedelta(days=400)):
            _set_prices()
        users = {person.email: _create_user(person) for person in CUSTOMERS}
        organizations = dict(_create_organizations(now, users))
        for person in CUSTOMERS:
            assign_role(
                user=users[person.email],
                role=system_role(person.role),
                organization=organizations[person.organization],
            )
        budgets.limit_everybody(now, organizations["acme"], users["owner@acme.test"])
        _write_history(now, organizations["acme"], users)
        _spend_all(now, organizations["empty-hands"])
        ledger.owe_credits(now, organizations["open-account"])
        ledger.correct_wallets(now, organizations["acme"], staff)
        ledger.move_credits_to_a_second_wallet(now, organizations["acme"])
        ledger.place_holds(now, organizations["acme"], users["developer@acme.test"])
        access.make_a_role(
            organizations["acme"], users["owner@acme.test"], users["member@acme.test"]
        )
        invitations.invite_people(now, organizations["acme"], users["owner@acme.test"])
        life.show_life(now, organizations["acme"], users)
        budgets.limit_members(organizations["acme"], users)
        keys.make_keys(now, organizations["acme"], users["developer@acme.test"])
        life.let_clock_stand(organizations["sandbox"])
        programme.begin_programme(organizations["green-neighbours"], users, staff)
        support.look_once(now, organizations["acme"], staff, users["member@acme.test"])
        capacity.offer_projects(now, organizations)
        waiting.wait_for_a_wall(now, organizations)
        # Last of all: nothing more can be written into the months before this one.
        closing.close_due_months()
        _, secret = create_key(
            organization=organizations["acme"],
            created_by=users["owner@acme.test"],
            name="Demo key",
            scopes=SCOPES,
        )
    return Seeded(people=(*STAFF, *CUSTOMERS), api_keys={"acme": secret})


def _create_user(person: Person, **flags: bool) -> User:
    user = User.objects.create_user(
        person.email, PASSWORD, full_name=person.full_name, time_zone=person.time_zone, **flags
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def _set_prices() -> None:
    prices.set_price(
        name=EVENT,
        credit_cost=5,
        category="compute",
        unit="picture",
        description="Restyle a picture",
    )
    prices.set_price(
        name="image.enlarge",
        credit_cost=2,
        category="compute",
        unit="megapixel",
        description="Enlarge a picture, by the begun megapixel of the result",
        metadata={"metered": "megapixel"},
    )
    prices.set_price(
        name="image.contact_sheet",
        credit_cost=3,
        category="compute",
        unit="sheet",
        description="One picture many times on a sheet",
    )
    prices.set_price(
        name="api.render",
        credit_cost=3,
        category="api_call",
        unit="render",
        description="Render through the API",
    )


def _create_organizations(
    now: datetime, users: dict[str, User]
) -> Iterator[tuple[str, Organization]]:
    founders = {person.organization: users[person.email] for person in reversed(CUSTOMERS)}
    for slug, name in ORGANIZATIONS.items():
        with clock.moved_to(now - timedelta(days=AGE_DAYS[slug])):
            yield slug, create_organization(name=name, slug=slug, owner=founders[slug])


def _write_history(now: datetime, organization: Organization, users: dict[str, User]) -> None:
    """Let two months pass: daily renders, two purchases, a gift, and a refund here and there."""
    rng = random.Random(SEED)  # noqa: S311  a demo is no secret
    wallet = selectors.main_wallet(organization)
    actors = [f"user:{users[f'{name}@acme.test'].public_id}" for name in ("developer", "member")]
    number = 0
    for days_ago in range(59, -1, -1):
        morning = now - timedelta(days=days_ago, hours=6)
        with clock.moved_to(morning):
            _grant_of_the_day(wallet, days_ago, morning)
        weekend = morning.weekday() > 4
        for minute in sorted(rng.sample(range(1, 340), 1 if weekend else rng.randint(2, 5))):
            number += 1
            with (
                clock.moved_to(morning + timedelta(minutes=minute)),
                context.acting(actor=rng.choice(actors)),
            ):
                _render(wallet, number, quantity=rng.randint(1, 6), fails=rng.random() < 0.06)


def _grant_of_the_day(wallet: Wallet, days_ago: int, morning: datetime) -> None:
    if days_ago in (58, 27):
        grants.grant_credits(
            wallet=wallet,
            amount=1500,
            kind=Lot.Kind.PURCHASE,
            reference=f"demo:pack:{days_ago}",
            source="purchase",
            unit_cost=Decimal("1.9"),
            currency="eur",
            expires_at=morning + timedelta(days=365),
            description="Pack of 1,500 credits",
        )
    if days_ago == 1:
        grants.grant_credits(
            wallet=wallet,
            amount=250,
            kind=Lot.Kind.PROMOTIONAL,
            reference="demo:gift",
            source="promotion",
            expires_at=morning + timedelta(days=13),
            description="Autumn gift",
        )


def _render(wallet: Wallet, number: int, *, quantity: int, fails: bool) -> None:
    reference = f"demo:render:{number}"
    charges.charge_event(
        wallet=wallet,
        event="api.render",
        quantity=quantity,
        reference=reference,
        source="api",
        source_id=f"render-{number:04}",
        description=f"Render {number:04}, views: {quantity}",
    )
    if fails:
        charges.refund_charge(
            wallet=wallet,
            charge_reference=reference,
            reference=f"refund:{reference}",
            source="api",
            source_id=f"render-{number:04}",
            is_our_fault=True,
            description=f"Render {number:04} failed",
        )


def _spend_all(now: datetime, organization: Organization) -> None:
    wallet = selectors.main_wallet(organization)
    left = selectors.balance_of(wallet).available
    with clock.moved_to(now - timedelta(hours=2)):
        charges.charge_event(
            wallet=wallet,
            event="api.render",
            quantity=(left - 2) // 3,
            reference="demo:spree",
            source="api",
            description="One long night of renders",
        )

"""What the demo has bought: every state there is, lived once however often it is seeded."""

import pytest
from django.db import connection

from apps.billing.models import (
    AutoReload,
    BillingDocument,
    Customer,
    Dispute,
    OrganizationSubscription,
    Payment,
    ReconciliationCase,
    Refund,
)
from apps.core.invariants import verify
from apps.credits.services.prices import set_price
from demo import billing, payments
from embedded.schema import SEEDED
from tests.capacity.plants import make_project
from tests.people import make_member, make_organization, make_person

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = ("payment", "refund", "dispute", "organizationsubscription", "reconciliationcase")
TABLES += ("billingdocument", "customer", "autoreload")


@pytest.fixture
def acme(stripe):
    """The people and organizations that the seed would have made."""
    set_price(name="image.restyle", credit_cost=5, category="compute")
    make_person(email="root@demo.test", is_staff=True)
    make_organization(slug="green-neighbours")
    acme = make_organization(slug="acme")
    make_member(acme, "owner", email="owner@acme.test")
    billing.seed_catalogue()
    make_project(1, 1, 1, code="north-roof")
    return acme


def rows():
    """Return all of billing, as the tables have it."""
    with connection.cursor() as cursor:
        found = {}
        for table in TABLES:
            cursor.execute(f"SELECT t::text FROM billing_{table} t ORDER BY 1")
            found[table] = cursor.fetchall()
        return found


def seeded():
    """Return what a start of the demo looks at: whether somebody is there, and not all of it."""
    with connection.cursor() as cursor:
        cursor.execute(SEEDED)
        return cursor.fetchone()


def test_shows_a_company_with_life_and_lives_it_once(stripe, acme):
    assert seeded() == (True, True)
    payments.live()

    assert seeded() == (True, False)
    paid = Payment.objects.filter(organization=acme)
    assert sorted(paid.values_list("purpose", "status")) == [
        ("capacity", "succeeded"),
        ("custom", "processing"),
        ("pack", "open"),
        ("pack", "succeeded"),
        ("pack", "succeeded"),
        ("reload", "succeeded"),
    ]
    assert Payment.objects.get(status="open").failure_code == "generic_decline"
    assert Payment.objects.get(purpose="invoice").amount == 79_000
    assert (Refund.objects.get().status, Refund.objects.get().amount) == ("succeeded", 1425)
    assert Dispute.objects.get().status == "needs_response"
    assert AutoReload.objects.get().is_enabled
    assert AutoReload.objects.get().threshold == 500
    assert sorted(OrganizationSubscription.objects.values_list("status", flat=True)) == [
        "active",
        "trial",
    ]
    assert ReconciliationCase.objects.get().status == "open"
    kinds = set(BillingDocument.objects.values_list("kind", flat=True))
    assert kinds == {"invoice", "receipt"}
    assert Customer.objects.get(organization=acme).card_last4 == "4242"
    assert [found.invariant.code for found in verify() if found.failures] == []

    before = rows()
    stripe.news()
    payments.live()
    assert rows() == before
    assert stripe.news() == []


def test_leaves_a_stripe_of_ones_own_alone(settings):
    settings.STRIPE_API_URL = ""
    payments.live()
    assert not Payment.objects.exists()

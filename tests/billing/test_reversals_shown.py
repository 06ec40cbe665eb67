"""What a customer sees of refunds and disputes: on the payment's page, in the list, by API."""

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from apps.billing.models import Dispute, Payment, Refund
from apps.core import ids
from tests.billing.buying import text_of
from tests.billing.refunding import buy, settle
from tests.people import make_key, make_member, make_organization, signed_in, with_key

API = "/api/v1/payments"
needs_database = pytest.mark.django_db(transaction=True)


@pytest.fixture
def purchase(stripe, settings):
    """500 credits for €20.00."""
    settings.TRIAL_CREDITS = 0
    return buy(stripe)


def refund(purchase, *amounts):
    for amount in amounts:
        purchase.refund_at_stripe(amount)
        purchase.stripe.tell()
        settle()


def reader(organization):
    return signed_in(make_member(organization, "read-only"))


def by_key(organization):
    return with_key(make_key(organization, make_member(organization, "owner"), "billing:read")[1])


@needs_database
def test_of_refunds_everything_is_shown(purchase):
    organization = purchase.payment.organization
    browser, program = reader(organization), by_key(organization)
    here = f"/o/{organization.slug}/billing/payments/"

    def shown():
        answer = program.get(f"{API}/{purchase.payment.public_id}").json()
        return (
            text_of(browser.get(f"{here}{purchase.payment.public_id}/")),
            text_of(browser.get(here)),
            (answer["refunded"], answer["refund_status"], answer["credits_taken_back"]),
            answer["refunds"],
        )

    page, payments, money, refunds = shown()
    assert "Refunds" not in page
    assert "Disputes" not in page
    assert "€20.00 refunded" not in payments
    assert (money, refunds) == ((0, "none", 0), [])

    refund(purchase, 500)
    page, payments, money, refunds = shown()
    assert "Refunded 125 €5.00" in page
    assert "Partly refunded €5.00 refunded" in payments
    assert money == (500, "partial", 125)

    refund(purchase, 1500)
    page, payments, money, refunds = shown()
    assert page.index("Refunded 375 €15.00") < page.index("Refunded 125 €5.00"), "newest first"
    assert "Refunded €20.00 refunded" in payments
    assert "Partly" not in payments
    assert money == (2000, "full", 500)
    assert [one.pop("created_at") < "3" for one in refunds] == [True, True]
    newest = Refund.objects.get(amount=1500)
    assert refunds[0] == {
        "id": newest.public_id,
        "object": "refund",
        "status": "succeeded",
        "amount": 1500,
        "credits_taken_back": 375,
    }

    stranger = by_key(make_organization()).get(f"{API}/{purchase.payment.public_id}")
    assert stranger.status_code == 404


@needs_database
def test_of_a_dispute_everything_is_shown(stripe):
    purchase = buy(stripe, card="pm_card_createDispute")
    organization = purchase.payment.organization
    place = f"/o/{organization.slug}/billing/payments/{purchase.payment.public_id}/"

    page = text_of(reader(organization).get(place))
    assert "Open 0 €20.00" in page.split("Disputes of this payment")[1]
    answer = by_key(organization).get(f"{API}/{purchase.payment.public_id}").json()
    (dispute,) = answer["disputes"]
    assert dispute["id"] == Dispute.objects.get().public_id
    assert (dispute["status"], dispute["amount"]) == ("needs_response", 2000)
    assert (dispute["reason"], dispute["closed_at"]) == ("fraudulent", None)
    assert answer["disputed_at"] == dispute["opened_at"]
    assert answer["refund_status"] == "none"

    purchase.answer("losing_evidence")
    stripe.tell()
    settle()
    page = text_of(reader(organization).get(place))
    assert "The money went back decided" in page
    assert "500 €20.00" in page.split("Disputes of this payment")[1]


@needs_database
def test_the_list_asks_the_database_as_often_for_many(purchase):
    refund(purchase, 100)
    client = by_key(purchase.payment.organization)

    def queries():
        with CaptureQueriesContext(connection) as asked:
            assert client.get(API).status_code == 200
        return len(asked)

    queries()
    few = queries()
    for number in range(3):
        copy = Payment.objects.get(pk=purchase.payment.pk)
        copy.pk, copy.stripe_payment_intent_id = ids.new_id(), f"pi_copy_{number}"
        copy.save(force_insert=True)
    assert queries() == few


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("warning_needs_response", "The bank asks"),
        ("warning_under_review", "The bank asks"),
        ("under_review", "Open"),
        ("won", "The payment stands"),
        ("warning_closed", "The payment stands"),
        ("prevented", "Prevented"),
    ],
)
def test_how_a_dispute_stands_is_said_in_words(status, words):
    assert words in render_to_string("billing/_dispute_badge.html", {"status": status})


@pytest.mark.parametrize(
    ("status", "words"),
    [("requested", "Under way"), ("pending", "Under way"), ("failed", "Failed")],
)
def test_how_far_a_refund_is_is_said_in_words(status, words):
    assert words in render_to_string("billing/_refund_badge.html", {"status": status})

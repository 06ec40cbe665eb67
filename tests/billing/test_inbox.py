"""From the inbox to the ledger: each event once, in any order, whoever dies on the way."""

from datetime import timedelta

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from apps.billing.errors import StripeUnavailable
from apps.billing.models import Payment, WebhookEvent
from apps.billing.services import inbox, payments
from apps.billing.services.customers import ensure_customer
from apps.core import ids
from apps.credits.models import CreditTransaction, Wallet
from tests.billing.stripe import handle_everything
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def payment(stripe, organization):
    return pay(stripe, organization)


def pay(stripe, organization, *, card="pm_card_visa", amount=2000, credits=500):
    """Write a payment down, and let Stripe have the money, as the automatic reload does."""
    customer = ensure_customer(organization=organization)
    payment = Payment.objects.create(
        organization=organization,
        purpose=Payment.Purpose.CUSTOM,
        credits=credits,
        amount=amount,
        currency="eur",
        is_live=False,
    )
    stripe.v1.payment_intents.create(
        {
            "customer": customer.stripe_id,
            "amount": amount,
            "currency": "eur",
            "payment_method": card,
            "payment_method_types": ["card"],
            "confirm": True,
            "metadata": {"coffer_payment": payment.public_id},
        }
    )
    return payment


def balance(organization):
    return Wallet.objects.get(organization=organization).balance


class TestAnEvent:
    def test_grants_what_was_paid_once(self, stripe, organization, payment):
        before = balance(organization)
        events = stripe.tell()
        for event in events * 2:
            inbox.receive(event, source="webhook")
        handle_everything()

        payment.refresh_from_db()
        assert payment.status == "succeeded"
        assert balance(organization) == before + 500
        row = CreditTransaction.objects.get(reference=payment.reference)
        assert (row.source, row.lot.unit_cost, row.lot.currency) == ("custom", 4, "eur")

    def test_grants_once_when_replayed(self, stripe, organization, payment):
        stripe.tell()
        once = balance(organization)
        for event in WebhookEvent.objects.filter(status="processed"):
            inbox.replay(event)
        handle_everything()

        assert balance(organization) == once
        assert not WebhookEvent.objects.exclude(status__in=["processed", "ignored"]).exists()

    def test_is_handled_by_what_is_true_now(self, stripe, organization, payment):
        """What the event told is as old as the event."""
        event = next(one for one in stripe.news() if one["type"] == "payment_intent.succeeded")
        event["data"]["object"]["status"] = "processing"
        inbox.receive(event, source="webhook")
        handle_everything()

        payment.refresh_from_db()
        assert payment.status == "succeeded"

    def test_of_another_amount_grants_nothing_and_ends_as_dead(self, stripe, organization, payment):
        Payment.objects.update(amount=1999)
        before = balance(organization)
        stripe.tell()
        for _ in range(inbox.MOST_ATTEMPTS):
            WebhookEvent.objects.update(due_at=timezone.now())
            handle_everything()

        assert balance(organization) == before
        dead = WebhookEvent.objects.get(status="dead")
        assert "PaymentDiffers" in dead.error
        assert dead.attempts == inbox.MOST_ATTEMPTS

    def test_of_nobody_here_waits_and_is_ignored_in_the_end(self, stripe):
        customer = stripe.v1.customers.create({})
        stripe.v1.payment_intents.create(
            {
                "customer": customer.id,
                "amount": 500,
                "currency": "eur",
                "confirm": True,
                "payment_method": "pm_card_visa",
                "payment_method_types": ["card"],
            }
        )
        stripe.tell("payment_intent.succeeded")
        row = WebhookEvent.objects.get()
        assert (row.status, row.attempts) == ("pending", 1)
        assert row.due_at > timezone.now()

        with capture_logs() as lines:
            for _ in range(inbox.MOST_ATTEMPTS):
                WebhookEvent.objects.update(due_at=timezone.now())
                handle_everything()

        assert WebhookEvent.objects.get().status == "ignored"
        levels = {(line["event"], line["log_level"]) for line in lines}
        assert ("stripe_event_early", "info") in levels
        assert "error" not in {level for _, level in levels}

    def test_waits_for_stripe_as_long_as_it_takes(self, stripe, payment, monkeypatch):
        from apps.billing.gateway import objects

        asked = []

        def away(*path):
            asked.append(path)
            raise StripeUnavailable

        monkeypatch.setattr(objects, "retrieve", away)
        stripe.tell("payment_intent.succeeded")
        for _ in range(inbox.MOST_ATTEMPTS + 2):
            WebhookEvent.objects.update(due_at=timezone.now())
            handle_everything()
        monkeypatch.undo()
        WebhookEvent.objects.update(due_at=timezone.now())
        handle_everything()

        assert len(asked) > inbox.MOST_ATTEMPTS
        payment.refresh_from_db()
        assert payment.status == "succeeded"


class TestWorkers:
    def test_racing_for_one_customer_grant_once(self, stripe, organization, payment):
        pay(stripe, organization)
        before = balance(organization)
        events = stripe.news()

        def work():
            for event in events:
                inbox.receive(event, source="webhook")
            handle_everything()

        at_once([work] * 6)

        assert balance(organization) == before + 1000
        assert set(Payment.objects.values_list("status", flat=True)) == {"succeeded"}
        assert WebhookEvent.objects.count() == len(events)

    def test_never_hold_two_events_of_one_subject(self, stripe, organization, payment):
        pay(stripe, organization)
        for event in stripe.news():
            inbox.receive(event, source="webhook")
        subject = WebhookEvent.objects.filter(type="payment_intent.succeeded")[0].subject

        first = inbox.claim(subject)

        assert first is not None
        assert inbox.claim(subject) is None

    def test_who_died_loses_the_event_to_another(self, stripe, organization, payment):
        before = balance(organization)
        for event in stripe.news():
            inbox.receive(event, source="webhook")
        subject = WebhookEvent.objects.filter(type="payment_intent.succeeded")[0].subject
        dead = inbox.claim(subject)
        WebhookEvent.objects.filter(pk=dead.pk).update(claimed_until=timezone.now())

        handle_everything()

        assert balance(organization) == before + 500

    def test_who_died_had_the_event_that_comes_next(self, stripe, payment):
        """Were another one taken, two events of one subject would have claims."""
        for event in stripe.news():
            inbox.receive(event, source="webhook")
        about = WebhookEvent.objects.filter(type="payment_intent.succeeded").get()
        of_subject = WebhookEvent.objects.filter(subject=about.subject)
        last = of_subject.filter(status="pending").order_by("told_at", "id").last()
        dead = {"claim": ids.new_id(), "claimed_until": timezone.now()}
        WebhookEvent.objects.filter(pk=last.pk).update(**dead)

        taken = inbox.claim(about.subject)

        assert (taken.pk, taken.attempts) == (last.pk, 1)
        assert inbox.claim(about.subject) is None

    def test_ask_two_statements_for_an_event_and_one_for_none(
        self, stripe, payment, django_assert_num_queries
    ):
        for event in stripe.news():
            inbox.receive(event, source="webhook")
        subject = WebhookEvent.objects.filter(type="payment_intent.succeeded")[0].subject

        with django_assert_num_queries(2):
            inbox.claim(subject)
        with django_assert_num_queries(1):
            inbox.claim(subject)

    def test_too_slow_for_his_claim_writes_nothing(self, stripe, payment, monkeypatch):
        for event in stripe.news():
            inbox.receive(event, source="webhook")
        monkeypatch.setattr(inbox, "LEASE", timedelta(0))
        subject = WebhookEvent.objects.filter(type="payment_intent.succeeded")[0].subject
        event = inbox.claim(subject)

        inbox._handle(event)

        payment.refresh_from_db()
        assert payment.status == "created"
        event.refresh_from_db()
        assert event.status == "pending"


class TestADeclinedPayment:
    def test_fails_with_the_banks_words(self, stripe, organization):
        from stripe import CardError

        with pytest.raises(CardError):
            pay(stripe, organization, card="pm_card_visa_chargeDeclinedInsufficientFunds")
        before = balance(organization)
        stripe.tell()

        payment = Payment.objects.get()
        assert (payment.status, payment.failure_code) == ("failed", "insufficient_funds")
        assert balance(organization) == before

    def test_that_succeeded_never_fails_afterwards(self, stripe, payment):
        stripe.tell()
        intent = {"id": "pi_x", "status": "canceled"}
        from django.db import transaction

        with transaction.atomic():
            payments.follow(payment=payment, intent=intent)

        payment.refresh_from_db()
        assert payment.status == "succeeded"

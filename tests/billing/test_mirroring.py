"""The mirror of dj-stripe: beside money, and never in its way."""

import pytest
import stripe as sdk
from django.utils import timezone
from djstripe.models import Customer as Mirrored
from djstripe.models import PaymentIntent

from apps.billing.models import WebhookEvent
from apps.billing.services import inbox, mirroring

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def mirror_asks_the_stand_in(request, settings, monkeypatch):
    """Set what dj-stripe reads once when Django starts (settings.STRIPE_API_HOST)."""
    if "stripe" in request.fixturenames:
        stand_in = request.getfixturevalue("stripe").server
        settings.STRIPE_TEST_SECRET_KEY = settings.STRIPE_SECRET_KEY
        monkeypatch.setattr(sdk, "api_base", stand_in.url)


def mirror_everything() -> None:
    while WebhookEvent.objects.filter(mirror_status="pending").exists():
        WebhookEvent.objects.update(mirror_due_at=timezone.now())
        mirroring.mirror_due()


class TestTheMirror:
    def test_has_what_stripe_told(self, stripe):
        customer = stripe.v1.customers.create({"name": "Acme", "email": "pay@acme.example"})
        stripe.v1.payment_intents.create(
            {
                "customer": customer.id,
                "amount": 700,
                "currency": "eur",
                "confirm": True,
                "payment_method": "pm_card_visa",
                "payment_method_types": ["card"],
            }
        )
        for event in stripe.news():
            inbox.receive(event, source="webhook")

        mirror_everything()

        failed = WebhookEvent.objects.exclude(mirror_status="mirrored")
        assert not [(one.type, one.mirror_error) for one in failed]
        assert Mirrored.objects.get().id == customer.id
        assert PaymentIntent.objects.get().stripe_data["amount"] == 700

    def test_that_fails_holds_nothing_up_and_says_so_in_the_end(self, stripe, monkeypatch):
        def broken(payload):
            raise ValueError("a shape of the future")

        monkeypatch.setattr(mirroring, "mirror_event", broken)
        stripe.v1.customers.create({"name": "Acme"})
        stripe.tell()

        mirror_everything()

        row = WebhookEvent.objects.get(type="customer.created")
        assert row.mirror_status == "failed"
        assert row.mirror_attempts == mirroring.MOST_ATTEMPTS
        assert "a shape of the future" in row.mirror_error
        assert row.status in ("ignored", "processed")

    def test_takes_no_event_that_another_worker_has(self, stripe):
        stripe.v1.customers.create({"name": "Acme"})
        stripe.tell()

        first = mirroring._claim(50)

        assert len(first) == WebhookEvent.objects.count()
        assert mirroring._claim(50) == []

    def test_is_off_without_a_key(self, db):
        assert mirroring.mirror_due() == 0

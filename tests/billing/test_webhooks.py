"""The way in: who is heard, what is kept, and what happens to what nobody should send."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.billing.models import WebhookEvent
from apps.billing.webhooks import MOST_BYTES
from tests.billing.stripe import SECRET, deliver

pytestmark = pytest.mark.django_db


def event(**changes):
    about = {"id": "pi_1", "object": "payment_intent", "customer": "cus_1"}
    return {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": 1_790_000_000,
        "livemode": False,
        "data": {"object": about},
    } | changes


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET, "whsec_old"]


class TestADelivery:
    def test_is_kept_once_however_often_it_comes(self):
        answers = [deliver(event()).status_code for _ in range(3)]

        row = WebhookEvent.objects.get()
        assert answers == [200, 200, 200]
        assert (row.event_id, row.deliveries, row.subject) == ("evt_1", 3, "cus_1")
        assert (row.status, row.source) == ("pending", "webhook")

    def test_that_comes_again_is_no_error_of_the_database(self):
        """A failed INSERT would stand in the server's log for each of Stripe's repetitions."""
        for _ in range(2):
            with CaptureQueriesContext(connection) as asked:
                deliver(event())
            words = [one["sql"].split()[0] for one in asked]
            assert words == ["SAVEPOINT", "INSERT", "UPDATE", "RELEASE"]

    def test_may_be_signed_with_the_old_secret(self):
        assert deliver(event(), secret="whsec_old").status_code == 200

    @pytest.mark.parametrize(
        ("how", "status"),
        [
            ({"secret": "whsec_other"}, 400),
            ({"age": 301}, 400),
            ({"age": -360}, 400),  # a second may pass until it is looked at
            ({"Stripe-Signature": "t=1,v1=00"}, 400),
            ({"Stripe-Signature": ""}, 400),
        ],
    )
    def test_is_refused_and_not_kept_unless_stripe_signed_it_now(self, how, status):
        answer = deliver(event(), **how)

        assert answer.status_code == status
        assert answer.json()["code"] == "signature_refused"
        assert not WebhookEvent.objects.exists()

    def test_is_taken_within_five_minutes_both_ways(self):
        assert deliver(event(), age=290).status_code == 200
        assert deliver(event(), age=-290).status_code == 200

    def test_of_live_mode_is_refused(self):
        answer = deliver(event(livemode=True))

        assert (answer.status_code, answer.json()["code"]) == (400, "wrong_mode")
        assert not WebhookEvent.objects.exists()

    def test_too_large_is_refused_unread(self):
        answer = deliver(event(padding="x" * MOST_BYTES))

        assert (answer.status_code, answer.json()["code"]) == (413, "delivery_too_large")

    def test_is_refused_when_no_secret_is_set(self, settings):
        settings.STRIPE_WEBHOOK_SECRETS = []

        assert deliver(event()).status_code == 400

    def test_that_concerns_nobody_here_is_kept_and_done_with(self):
        deliver(event(type="topup.created"))

        assert WebhookEvent.objects.get().status == "ignored"

    def test_is_kept_while_redis_is_away(self, monkeypatch, django_capture_on_commit_callbacks):
        from kombu.exceptions import OperationalError

        from apps.billing import tasks

        def fail(**kwargs):
            raise OperationalError

        monkeypatch.setattr(tasks.process_events, "apply_async", fail)

        with django_capture_on_commit_callbacks(execute=True) as rung:
            assert deliver(event()).status_code == 200

        assert len(rung) == 1
        assert WebhookEvent.objects.get().status == "pending"

"""What no webhook brought is found by asking."""

import pytest
from django.utils import timezone

from apps.billing import tasks
from apps.billing.errors import StripeUnavailable
from apps.billing.models import WebhookEvent
from apps.billing.services import inbox, polling

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told(stripe):
    for number in range(3):
        stripe.v1.customers.create({"name": f"Acme {number}"})
    return [event for event in stripe.news() if event["type"] == "customer.created"]


class TestAPoll:
    def test_finds_what_no_webhook_brought_and_nothing_twice(self, told):
        inbox.receive(told[1], source="webhook")

        assert polling.poll(is_whole=True) == 2
        assert polling.poll(is_whole=True) == 0

        rows = WebhookEvent.objects.filter(type="customer.created")
        assert {row.event_id: row.source for row in rows} == {
            told[0]["id"]: "poll",
            told[1]["id"]: "webhook",
            told[2]["id"]: "poll",
        }
        assert set(rows.values_list("deliveries", flat=True)) == {1}

    def test_looks_no_further_back_than_it_must(self, stripe, told, monkeypatch):
        asked = []
        listed = polling.events.list_events
        monkeypatch.setattr(
            polling.events,
            "list_events",
            lambda since: asked.append(since) or listed(since=since),
        )
        polling.poll()
        polling.poll()

        newest = max(WebhookEvent.objects.values_list("told_at", flat=True))
        assert asked[1] == newest - polling.OVERLAP
        assert newest - asked[0] > polling.KEPT_BY_STRIPE / 2

    def test_pages_through_everything(self, stripe, monkeypatch):
        from apps.billing.gateway import events

        monkeypatch.setattr(events, "PAGE", 2)
        for number in range(5):
            stripe.v1.customers.create({"name": f"Acme {number}"})

        polling.poll(is_whole=True)

        assert WebhookEvent.objects.filter(type="customer.created").count() == 5

    def test_that_stripe_breaks_off_leaves_its_gap_for_the_next(self, stripe, monkeypatch):
        """Events are listed newest first: what was listed before the end proves nothing."""
        for number in range(3):
            stripe.v1.customers.create({"name": f"Acme {number}"})
            stripe.server.world.shift += 2 * 3600
        listed = polling.events.list_events

        def breaks_off(since):
            yield next(listed(since=since))
            raise StripeUnavailable

        monkeypatch.setattr(polling, "BATCH", 1)
        monkeypatch.setattr(polling.events, "list_events", breaks_off)
        with pytest.raises(StripeUnavailable):
            polling.poll()
        monkeypatch.setattr(polling.events, "list_events", listed)
        polling.poll()

        assert WebhookEvent.objects.filter(type="customer.created").count() == 3

    def test_that_dies_goes_on_from_the_oldest(self, stripe, told, monkeypatch):
        kept = []

        def die(event, source):
            if kept:
                raise MemoryError
            kept.append(event["id"])
            return True

        monkeypatch.setattr(inbox, "receive", die)
        with pytest.raises(MemoryError):
            polling.poll()

        listed = list(polling.events.list_events(since=timezone.now() - polling.KEPT_BY_STRIPE))
        assert kept == [listed[-1]["id"]]

    def test_by_the_beat_waits_while_stripe_is_away(self, stripe, monkeypatch):
        def away(**details):
            raise StripeUnavailable

        monkeypatch.setattr(polling.events, "list_events", away)

        tasks.poll_events()

        assert not WebhookEvent.objects.exists()

    def test_by_the_beat_does_nothing_without_a_key(self):
        tasks.poll_events()

        assert not WebhookEvent.objects.exists()

"""The inbox in the back office: what came of each event, and once more."""

import pytest
from django.utils import timezone

from apps.billing.models import WebhookEvent
from apps.tenants.models import AuditLog
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db
ADDRESS = "/admin/billing/webhookevent/"


def make_event(number=1, **fields):
    return WebhookEvent.objects.create(
        **{
            "event_id": f"evt_{number}",
            "is_live": False,
            "type": "payment_intent.succeeded",
            "subject": f"cus_{number}",
            "told_at": timezone.now(),
            "payload": {"id": f"evt_{number}", "data": {"object": {"id": "pi_1"}}},
            "source": "webhook",
            **fields,
        }
    )


@pytest.fixture
def staff():
    return signed_in(make_person(is_staff=True, is_superuser=True))


def act(client, action, *events):
    return client.post(
        ADDRESS, {"action": action, "_selected_action": [event.pk for event in events]}
    )


class TestTheInbox:
    def test_shows_each_event_and_all_that_stripe_told(self, staff):
        event = make_event(status="dead", error="PaymentDiffers: no", attempts=8)

        assert "evt_1" in staff.get(ADDRESS).content.decode()
        page = staff.get(f"{ADDRESS}{event.pk}/change/").content.decode()

        assert "PaymentDiffers: no" in page
        assert "pi_1" in page

    def test_asks_no_more_of_the_database_for_more_events(
        self, staff, django_assert_max_num_queries
    ):
        for number in range(20):
            make_event(number)
        staff.get(ADDRESS)
        with django_assert_max_num_queries(12):
            staff.get(ADDRESS)

    def test_has_dead_and_done_events_handled_again(self, staff):
        done = make_event(1, status="processed", processed_at=timezone.now(), attempts=1)
        dead = make_event(2, status="dead", attempts=8, error="broken")

        act(staff, "handle_again", done, dead)

        for event in (done, dead):
            event.refresh_from_db()
            assert (event.status, event.attempts, event.error) == ("pending", 0, "")
        rows = AuditLog.objects.filter(action="stripe_event.replay")
        assert {row.reason for row in rows} == {"evt_1", "evt_2"}

    def test_leaves_dead_events_alone_and_no_others(self, staff):
        dead, waiting = make_event(1, status="dead"), make_event(2)

        act(staff, "leave_alone", dead, waiting)

        dead.refresh_from_db()
        waiting.refresh_from_db()
        assert (dead.status, waiting.status) == ("ignored", "pending")
        assert AuditLog.objects.filter(action="stripe_event.ignore").count() == 1

    def test_has_no_buttons_for_those_who_may_only_look(self):
        from django.contrib.auth.models import Permission

        person = make_person(is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename="view_webhookevent"))
        dead = make_event(status="dead")

        act(signed_in(person), "handle_again", dead)

        dead.refresh_from_db()
        assert dead.status == "dead"

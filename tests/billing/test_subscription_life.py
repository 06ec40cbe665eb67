"""A subscription from Stripe's page to its end: state, money, credits, seats."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.billing.models import OrganizationSubscription, Payment, WebhookEvent
from apps.billing.selectors import subscriptions as reading
from apps.billing.services import inbox
from apps.billing.services.subscriptions import changing
from apps.core.clock import moved_to
from apps.core.invariants import verify
from tests.billing.stripe import handle_everything
from tests.billing.subscribing import DECLINED, START, Life, again, make_plan

pytestmark = pytest.mark.django_db(transaction=True)
FEBRUARY = datetime(2027, 2, 28, 12, tzinfo=UTC)
MARCH = datetime(2027, 3, 31, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1, minutes=1)  # a renewal's invoice is a draft for an hour


@pytest.fixture(autouse=True)
def movable(settings):
    settings.MOVABLE_CLOCK = True


@pytest.fixture
def life(stripe):
    yield Life(stripe)
    assert [one for one in verify() if one.failures] == []


@pytest.fixture
def plan(stripe):
    return make_plan(stripe)


class TestASubscription:
    def test_begins_when_it_is_paid(self, life, plan):
        row = life.begin(plan)
        assert (row.status, bool(row.pay_url)) == ("incomplete", True)
        life.tell()
        assert life.cycle() == []

        life.press(row)
        life.tell()

        row = again(row)
        assert (row.status, row.pay_url) == ("active", "")
        assert (row.current_period_start, row.current_period_end) == (START, FEBRUARY)
        assert life.cycle() == [(10, 500, 500)]
        payment = Payment.objects.get()
        assert (payment.purpose, payment.status, payment.amount) == ("invoice", "succeeded", 2900)
        assert payment.stripe_invoice_id
        assert payment.stripe_payment_intent_id
        life.organization.refresh_from_db()
        assert life.organization.max_users == 5

    def test_is_renewed_and_carries_over(self, life, plan):
        row = life.subscribe(plan)
        life.move(FEBRUARY + HOUR)

        assert again(row).current_period_end == MARCH
        assert life.cycle() == [(10, 500, 0), (5, 100, 100), (10, 500, 500)]
        assert Payment.objects.filter(status="succeeded").count() == 2

    def test_gives_once_whatever_is_told_again_and_in_any_order(self, life, plan, stripe):
        life.subscribe(plan)
        stripe.told = 0
        life.move(FEBRUARY + HOUR, tells=False)
        with life.here():
            for event in stripe.news()[::-1] * 2:
                inbox.receive(event, source="webhook")
            handle_everything()
            for event in WebhookEvent.objects.filter(status="processed"):
                inbox.replay(event)
            handle_everything()

        assert life.cycle() == [(10, 500, 0), (5, 100, 100), (10, 500, 500)]
        assert Payment.objects.count() == 2
        assert not WebhookEvent.objects.filter(status="dead").exists()

    def test_that_hears_of_two_periods_at_once_carries_over_as_if_it_had_not(self, life, plan):
        """The worker was away for a month; the period that is over has seven days of grace."""
        life.subscribe(plan)
        life.move(FEBRUARY + HOUR, tells=False)
        life.move(MARCH + HOUR)

        kinds = [(priority, granted) for priority, granted, _ in life.cycle()]
        assert kinds == [(10, 500), (5, 100), (10, 500), (10, 500)]
        assert Payment.objects.filter(status="succeeded").count() == 3

    def test_of_a_declined_card_waits_for_another(self, life, plan):
        row = life.begin(plan)
        life.press(row, DECLINED)
        life.tell()
        assert again(row).status == "incomplete"
        assert Payment.objects.exclude(status="failed").count() == 0
        assert life.cycle() == []

        life.press(row)
        life.tell()

        assert again(row).status == "active"
        assert Payment.objects.get().status == "succeeded"

    def test_has_a_trial_once(self, life, stripe):
        plan = make_plan(stripe, trial_days=14)
        row = life.subscribe(plan)
        assert (row.status, row.trial_end) == ("trial", START + timedelta(days=14))
        assert life.cycle() == [(10, 500, 500)]
        assert Payment.objects.count() == 0

        life.move(START + timedelta(days=14) + HOUR)

        assert again(row).status == "active"
        assert life.cycle() == [(10, 500, 0), (10, 500, 500)]  # and nothing is carried over
        request(life, "cancel")
        life.move(again(row).current_period_end + HOUR)
        assert life.subscribe(plan).trial_end is None


def request(life, kind, reason=""):
    """Ask something of the subscription, as page and API do."""
    with life.here():
        change = changing.request(organization=life.organization, kind=kind, reason=reason)
        return changing.carry_out(change)


class TestAnEnd:
    def test_comes_with_the_period_and_leaves_its_credits_until_then(self, life, plan):
        row = life.subscribe(plan)
        done = request(life, "cancel", "too dear")
        assert (done.status, done.cancel_at_period_end) == ("active", True)
        assert (done.cancel_reason, done.cancelled_at is None) == ("too dear", False)

        life.move(FEBRUARY - timedelta(seconds=1))
        assert again(row).status == "active"
        life.move(FEBRUARY + HOUR)

        row = again(row)
        assert (row.status, row.ended_at) == ("cancelled", FEBRUARY)
        assert life.cycle() == [(10, 500, 500)]  # written off by the sweep; nobody can use it
        life.organization.refresh_from_db()
        assert life.organization.max_users is None

    def test_that_is_undone_does_not_come(self, life, plan):
        row = life.subscribe(plan)
        request(life, "cancel", "by mistake")
        done = request(life, "undo")
        assert (done.cancel_at_period_end, done.cancel_reason) == (False, "")

        life.move(FEBRUARY + HOUR)

        assert again(row).status == "active"
        assert again(row).current_period_end == MARCH

    def test_is_final(self, life, plan, stripe):
        row = life.subscribe(plan)
        request(life, "cancel")
        life.move(FEBRUARY + HOUR)
        for event in WebhookEvent.objects.filter(status="processed"):
            inbox.replay(event)
        with life.here():
            handle_everything()

        assert again(row).status == "cancelled"
        assert OrganizationSubscription.objects.count() == 1


class TestAPause:
    def test_gives_and_takes_nothing(self, life, plan):
        row = life.subscribe(plan)
        assert request(life, "pause").status == "paused"
        life.move(FEBRUARY + HOUR)
        assert again(row).status == "paused"
        assert Payment.objects.filter(status="succeeded").count() == 1
        assert [one[:2] for one in life.cycle()] == [(10, 500)]

        assert request(life, "resume").status == "active"
        life.move(MARCH + HOUR)

        assert Payment.objects.filter(status="succeeded").count() == 2
        assert [one[:2] for one in life.cycle()] == [(10, 500), (10, 500)]


class TestAFailedPayment:
    def test_leaves_the_plan_working_for_its_grace(self, life, stripe):
        plan = make_plan(stripe, features={"unlimited_operations": ["image.restyle"]})
        row = life.subscribe(plan)
        decline_from_now_on(life)
        life.move(FEBRUARY + HOUR)

        row = again(row)
        assert (row.status, row.past_due_since) == ("past_due", life.now)
        assert Payment.objects.get(status="failed").pay_url
        assert [one[:2] for one in life.cycle()] == [(10, 500)]
        end = life.now + timedelta(days=14)
        for moment, works in ((end - MICROSECOND, True), (end, False)):
            with moved_to(moment):
                found = reading.unlimited_operations(life.organization)
                assert found == ({"image.restyle"} if works else set())

    def test_that_is_mended_gives_the_period(self, life, plan):
        row = life.subscribe(plan)
        decline_from_now_on(life)
        life.move(FEBRUARY + HOUR)
        use_card(life, "pm_card_visa")
        life.move(FEBRUARY + timedelta(days=4))

        assert (again(row).status, again(row).past_due_since) == ("active", None)
        assert Payment.objects.filter(status="succeeded").count() == 2
        assert life.cycle()[1:] == [(5, 100, 100), (10, 500, 500)]


def decline_from_now_on(life):
    """Let the customer's card be one that is declined when it is charged."""
    use_card(life, "pm_card_chargeCustomerFail")


def use_card(life, card):
    stripe = life.stripe.v1
    method = stripe.payment_methods.attach(card, {"customer": life.customer.id})
    row = OrganizationSubscription.objects.get(organization=life.organization)
    stripe.subscriptions.update(row.stripe_subscription_id, {"default_payment_method": method.id})

"""Changes of plan: what is shown is what is posted, for money and for credits."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.billing.errors import (
    ChangeNotPossible,
    ChangeUnderWay,
    NotSubscribed,
    PaymentDeclined,
    PlanNotOffered,
    QuantityNotOffered,
    StripeUnavailable,
)
from apps.billing.models import Payment, SubscriptionChange, WebhookEvent
from apps.billing.selectors import subscriptions as reading
from apps.billing.services import inbox
from apps.billing.services.subscriptions import asking, changing, previewing, resuming
from apps.credits.models import CreditTransaction
from apps.credits.services.charges import charge_amount
from tests.billing.stripe import handle_everything
from tests.billing.subscribing import START, again, make_plan
from tests.billing.test_subscription_life import (
    FEBRUARY,
    HOUR,
    MARCH,
    life,
    movable,
    request,
    use_card,
)
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["life", "movable"]  # fixtures
HALF = START + timedelta(days=14)  # of 28 days


@pytest.fixture
def small(stripe):
    return make_plan(stripe)


@pytest.fixture
def large(stripe, small):
    return make_plan(stripe, price=9900, included_credits=2001, max_users=20, rollover_cap=1000)


def choose(life, version, quantity=1, moment=None):
    """Change the plan, as page and API do."""
    with life.here():
        change = changing.request_plan(
            organization=life.organization, version=version, quantity=quantity, moment=moment
        )
        return changing.carry_out(change)


def use(life, amount):
    with life.here():
        charge_amount(wallet=life.wallet(), amount=amount, reference=f"use:{amount}", source="t")


class TestAnUpgrade:
    def test_posts_what_its_preview_showed(self, life, small, large):
        row = life.subscribe(small)
        use(life, 101)
        # The trial of the sign-up burns first: it is gone, and 1 of the plan's is used.
        left = life.cycle()[0][2]
        life.move(HALF)
        with life.here():
            shown = previewing.preview_plan(subscription=again(row), version=large)
        before = life.wallet().balance

        done = choose(life, large, moment=shown.moment)

        assert (shown.kind, shown.charge) == ("now", 3500)
        # 2001 / 2, rounded up, less the one credit that was used of the old plan's second half.
        assert (shown.swap.taken, shown.swap.given) == (left // 2, 1000)
        assert life.wallet().balance - before == shown.credits_now
        assert Payment.objects.latest("created_at").amount == shown.charge
        assert done.version == large
        life.organization.refresh_from_db()
        assert life.organization.max_users == shown.seats_after == 20
        change = SubscriptionChange.objects.get()
        assert (change.credits_taken, change.credits_given) == (shown.swap.taken, 1000)
        assert change.stripe_invoice_id

    def test_is_posted_once_whatever_is_told(self, life, small, large, stripe):
        life.subscribe(small)
        life.move(HALF)
        choose(life, large)
        before = life.wallet().balance
        life.tell()
        for event in WebhookEvent.objects.filter(status="processed"):
            inbox.replay(event)
        with life.here():
            handle_everything()

        assert life.wallet().balance == before
        assert Payment.objects.filter(status="succeeded").count() == 2

    def test_that_cannot_be_paid_changes_nothing(self, life, small, large):
        row = life.subscribe(small)
        life.move(HALF)
        use_card(life, "pm_card_chargeCustomerFail")
        before = life.wallet().balance

        with pytest.raises(PaymentDeclined):
            choose(life, large)
        life.tell()

        assert again(row).version == small
        assert life.wallet().balance == before
        assert SubscriptionChange.objects.get().status == "refused"
        assert Payment.objects.filter(status="succeeded").count() == 1

    def test_whose_answer_got_lost_is_asked_for_again(self, life, small, large, monkeypatch):
        """A crash after the effect: Stripe did it, and nobody wrote it down."""
        row = life.subscribe(small)
        life.move(HALF)
        ask = asking.ask_stripe

        def lost(change):
            ask(change)
            raise StripeUnavailable

        monkeypatch.setattr(asking, "ask_stripe", lost)
        with pytest.raises(StripeUnavailable):
            choose(life, large)
        monkeypatch.undo()
        assert SubscriptionChange.objects.get().status == "asked"
        with life.here():
            SubscriptionChange.objects.update(created_at=life.now - timedelta(hours=1))
            assert resuming.sweep() == 1
            assert resuming.sweep() == 0
        life.tell()

        change = SubscriptionChange.objects.get()
        assert (change.status, change.posted_at is None) == ("accepted", False)
        assert again(row).version == large
        assert Payment.objects.filter(status="succeeded").count() == 2
        assert life.cycle()[-1][1] == 1001

    def test_carries_over_what_both_lots_of_the_period_have_left(self, life, small, large):
        life.subscribe(small)
        life.move(HALF)
        choose(life, large)
        left = sum(remaining for _, _, remaining in life.cycle())
        assert left > 1000

        life.move(FEBRUARY + HOUR)

        assert (5, 1000, 1000) in life.cycle()
        assert life.cycle()[-1] == (10, 2001, 2001)

    def test_in_a_trial_costs_nothing_now(self, life, stripe):
        small = make_plan(stripe, trial_days=14)
        large = make_plan(stripe, price=9900, included_credits=2000)
        row = life.subscribe(small)
        life.move(START + timedelta(days=7))
        with life.here():
            shown = previewing.preview_plan(subscription=again(row), version=large)
        done = choose(life, large, moment=shown.moment)
        life.tell()

        assert (shown.charge, shown.swap.taken, shown.swap.given) == (0, 250, 1000)
        assert (done.status, done.version) == ("trial", large)
        assert sum(remaining for _, _, remaining in life.cycle()) == 1250
        assert Payment.objects.count() == 0

    def test_of_the_quantity(self, life, stripe):
        plan = make_plan(stripe, has_quantity=True)
        row = life.subscribe(plan, quantity=2)
        assert life.cycle() == [(10, 1000, 1000)]
        life.move(HALF)

        choose(life, plan, quantity=4)

        assert again(row).quantity == 4
        assert [one[1:] for one in life.cycle()] == [(1000, 500), (1000, 1000)]

    def test_by_racers_is_one(self, life, small, large):
        life.subscribe(small)
        life.move(HALF)
        refused = []

        def work():
            try:
                choose(life, large)
            except (ChangeUnderWay, ChangeNotPossible) as error:
                refused.append(error)

        at_once([work] * 4)
        life.tell()

        assert len(refused) == 3
        assert Payment.objects.filter(status="succeeded").count() == 2
        assert [left for _, _, left in life.cycle()] == [250, 1001]


class TestADowngrade:
    def test_waits_for_the_end_of_the_period(self, life, small, large):
        row = life.subscribe(large)
        life.move(HALF)
        with life.here():
            shown = previewing.preview_plan(subscription=again(row), version=small)
        done = choose(life, small)
        assert (shown.kind, shown.charge, shown.credits_now) == ("later", 0, 0)
        assert (done.version, done.next_version) == (large, small)
        assert life.cycle() == [(10, 2001, 2001)]

        life.move(FEBRUARY + HOUR)

        row = again(row)
        assert (row.version, row.next_version) == (small, None)
        assert life.cycle()[-1] == (10, 500, 500)
        assert Payment.objects.latest("created_at").amount == shown.next_amount == 2900
        with pytest.raises(ChangeNotPossible, match="Undo that first"):
            choose(life, large)
        with life.here():
            assert resuming.sweep() == 1
            assert resuming.sweep() == 0
        assert choose(life, large).version == large
        life.move(MARCH + HOUR)
        assert again(row).version == large

    def test_that_is_undone_does_not_come(self, life, small, large):
        row = life.subscribe(large)
        choose(life, small)
        done = request(life, "undo")
        assert (done.next_version, done.stripe_schedule_id) == (None, "")
        life.tell()

        life.move(FEBRUARY + HOUR)

        assert again(row).version == large
        assert Payment.objects.latest("created_at").amount == 9900

    def test_gives_way_to_an_end(self, life, small, large):
        row = life.subscribe(large)
        choose(life, small)
        done = request(life, "cancel")
        assert (done.cancel_at_period_end, done.next_version) == (True, None)
        life.move(FEBRUARY + HOUR)
        assert again(row).status == "cancelled"

    def test_to_another_length_of_period(self, life, small, stripe):
        yearly = make_plan(stripe, price=29000, interval="year", included_credits=6000)
        row = life.subscribe(small)
        assert choose(life, yearly).next_version == yearly

        life.move(FEBRUARY + HOUR)

        assert again(row).current_period_end == datetime(2028, 2, 28, 12, tzinfo=UTC)
        assert life.cycle()[-1][:2] == (10, 6000)


class TestRefusals:
    def test_without_a_subscription(self, life, large):
        with pytest.raises(NotSubscribed):
            choose(life, large)

    def test_of_what_does_not_fit(self, life, small, large, stripe):
        life.subscribe(small)
        with pytest.raises(ChangeNotPossible, match="the plan that you have"):
            choose(life, small)
        with pytest.raises(ChangeNotPossible, match="another currency"):
            choose(life, make_plan(stripe, currency="usd", price=9900))
        with pytest.raises(QuantityNotOffered):
            choose(life, large, quantity=2)
        with pytest.raises(PlanNotOffered):
            choose(life, make_plan(stripe, interval="pass", price=0))
        with pytest.raises(ChangeNotPossible, match="free plan"):
            choose(life, make_plan(stripe, price=0))
        with pytest.raises(ChangeNotPossible, match="not paused"):
            request(life, "resume")
        with pytest.raises(ChangeNotPossible, match="nothing is scheduled"):
            request(life, "undo")
        request(life, "cancel")
        with pytest.raises(ChangeNotPossible, match="ends already"):
            request(life, "cancel")
        with pytest.raises(ChangeNotPossible, match="Undo that first"):
            choose(life, large)
        assert SubscriptionChange.objects.count() == 1

    def test_of_an_old_preview(self, life, small, large):
        life.subscribe(small)
        life.move(HALF)
        with pytest.raises(ChangeNotPossible, match="too old"):
            choose(life, large, moment=life.now - timedelta(hours=1, seconds=1))
        with pytest.raises(ChangeNotPossible, match="too old"):
            choose(life, large, moment=life.now + timedelta(seconds=1))
        choose(life, large, moment=life.now - timedelta(hours=1))

    def test_while_a_payment_is_open(self, life, small, large):
        life.subscribe(small)
        use_card(life, "pm_card_chargeCustomerFail")
        life.move(FEBRUARY + HOUR)
        with pytest.raises(ChangeNotPossible, match="past due"):
            choose(life, large)


def test_unlimited_operations_come_and_go_with_the_plan(life, stripe):
    plan = make_plan(stripe, features={"unlimited_operations": ["image.restyle", "compute"]})
    assert reading.unlimited_operations(life.organization) == frozenset()
    row = life.begin(plan)
    assert reading.unlimited_operations(life.organization) == frozenset()
    life.press(row)
    life.tell()
    assert reading.unlimited_operations(life.organization) == {"image.restyle", "compute"}
    request(life, "cancel")
    assert reading.unlimited_operations(life.organization)
    life.move(FEBRUARY + HOUR)
    assert reading.unlimited_operations(life.organization) == frozenset()
    assert not CreditTransaction.objects.filter(source="t").exists()

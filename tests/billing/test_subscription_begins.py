"""How a subscription begins, or does not: one at a time, whoever races, crashes or gives up."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from apps.billing.errors import (
    AlreadySubscribed,
    BillingNotConfigured,
    PlanNotOffered,
    StripeUnavailable,
)
from apps.billing.gateway import checkout as gateway
from apps.billing.models import Customer, OrganizationSubscription, WebhookEvent
from apps.billing.selectors import subscriptions as reading
from apps.billing.services.handling import News
from apps.billing.services.subscription_events import follow_session
from apps.billing.services.subscriptions import (
    abandoning,
    changing,
    following,
    own_periods,
    subscribing,
)
from tests.billing.subscribing import again, make_plan
from tests.billing.test_subscription_life import FEBRUARY, MARCH, life, movable, request
from tests.people import make_organization
from tests.races.racing import at_once

__all__ = ["life", "movable"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1, minutes=1)


@pytest.fixture
def plan(stripe):
    return make_plan(stripe)


class TestABeginning:
    def test_twice_is_one(self, life, plan, stripe):
        first, second = life.begin(plan), life.begin(plan)
        assert first == second
        assert len(stripe.v1.checkout.sessions.list().data) == 1

    def test_by_racers_is_one(self, life, plan, stripe):
        def begin():
            # Stripe refuses a key that is in use; on a slow machine the one repeat is not enough.
            with suppress(StripeUnavailable):
                life.begin(plan)

        at_once([begin] * 5)
        begin()
        assert OrganizationSubscription.objects.count() == 1
        assert len(stripe.v1.checkout.sessions.list().data) == 1

    def test_of_another_while_there_is_one_is_refused(self, life, plan, stripe):
        life.subscribe(plan)
        with pytest.raises(AlreadySubscribed):
            life.begin(make_plan(stripe))
        with pytest.raises(AlreadySubscribed):
            life.begin(plan)

    def test_of_what_is_not_offered_is_refused(self, life, stripe):
        archived = make_plan(stripe)
        archived.plan.is_active = False
        unsold = make_plan(stripe)
        unsold.stripe_price_id = ""
        for version in (archived, unsold, make_plan(stripe, interval="pass", price=0)):
            with pytest.raises(PlanNotOffered):
                life.begin(version)
        assert OrganizationSubscription.objects.count() == 0

    def test_whose_answer_got_lost_is_asked_for_again(self, life, plan, stripe, monkeypatch):
        make = gateway.create_session

        def lost(**question):
            make(**question)
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "create_session", lost)
        with pytest.raises(StripeUnavailable):
            life.begin(plan)
        monkeypatch.undo()

        row = life.begin(plan)

        assert row.pay_url
        assert len(stripe.v1.checkout.sessions.list().data) == 1

    def test_needs_stripe(self, life, plan, settings):
        settings.STRIPE_SECRET_KEY = ""
        with pytest.raises(BillingNotConfigured):
            life.begin(plan)

    def test_that_nobody_pays_ends_after_a_day(self, life, plan):
        row = life.begin(plan)
        OrganizationSubscription.objects.update(created_at=life.now)
        with life.here():
            assert abandoning.sweep() == 0
        OrganizationSubscription.objects.update(created_at=life.now - DAY)
        with life.here():
            assert abandoning.sweep() == 1
        assert again(row).status == "expired"
        assert life.subscribe(plan).status == "active"

    def test_that_was_paid_is_not_given_up(self, life, plan, stripe):
        """Nobody has told us yet, and another plan is chosen in another window."""
        row = life.begin(plan)
        life.press(row)
        with pytest.raises(AlreadySubscribed), life.here():
            subscribing.make_way(organization=life.organization, version=make_plan(stripe))
        life.tell()
        assert again(row).status == "active"

    def test_ends_with_its_page(self, life, plan, stripe):
        row = life.begin(plan)
        stripe.v1.checkout.sessions.expire(row.stripe_session_id)
        told = {"id": row.stripe_session_id, "mode": "subscription"}
        with transaction.atomic():
            customer = Customer.objects.get()
            follow_session(News("checkout.session.expired", told, told, customer))
        assert again(row).status == "expired"


class TestNews:
    def test_of_a_stranger_wait(self, life, plan, stripe):
        other = stripe.v1.customers.create({})
        method = stripe.v1.payment_methods.attach("pm_card_visa", {"customer": other.id})
        stripe.v1.subscriptions.create(
            {
                "customer": other.id,
                "items": [{"price": plan.stripe_price_id}],
                "default_payment_method": method.id,
            }
        )
        life.tell()
        about_it = WebhookEvent.objects.filter(type__regex=r"^(customer\.subscription|invoice)\.")
        assert set(about_it.values_list("status", flat=True)) <= {"pending", "ignored"}
        assert OrganizationSubscription.objects.count() == 0

    def test_name_our_row_and_still_do_not_reach_another_organization(self, life, plan, stripe):
        """The row is found among the customer's own only."""
        row = life.begin(plan)
        other = stripe.v1.customers.create({"test_clock": life.clock.id})
        Customer.objects.create(organization=make_organization(), stripe_id=other.id, is_live=False)
        method = stripe.v1.payment_methods.attach("pm_card_visa", {"customer": other.id})
        stripe.v1.subscriptions.create(
            {
                "customer": other.id,
                "items": [{"price": plan.stripe_price_id}],
                "default_payment_method": method.id,
                "metadata": {"coffer_subscription": row.public_id},
            }
        )
        life.tell()
        assert again(row).status == "incomplete"
        assert life.cycle() == []

    def test_that_are_older_than_what_stands_here_write_nothing(self, life, plan):
        row = life.subscribe(plan)
        with life.here():
            old = following.ask_for(row.stripe_subscription_id)
        life.now += timedelta(minutes=1)
        request(life, "cancel")
        with pytest.raises(following.Overtaken), transaction.atomic():
            following.follow(customer=Customer.objects.get(), whole=old)
        assert again(row).cancel_at_period_end


class TestAFreePlan:
    def test_gives_each_month_and_needs_no_stripe(self, life, stripe, settings):
        settings.STRIPE_SECRET_KEY = ""
        free = make_plan(stripe, price=0, included_credits=20, rollover_cap=5, max_users=3)
        row = life.begin(free)
        assert (row.status, row.current_period_end) == ("active", FEBRUARY)
        assert life.cycle() == [(10, 20, 20)]
        life.organization.refresh_from_db()
        assert life.organization.max_users == 3

        for moment, end in ((FEBRUARY, MARCH), (MARCH, datetime(2027, 4, 30, 12, tzinfo=UTC))):
            life.now = moment - timedelta(microseconds=1)
            with life.here():
                assert own_periods.sweep() == 0
            life.now = moment
            with life.here():
                assert own_periods.sweep() == 1
                assert own_periods.sweep() == 0
            assert again(row).current_period_end == end  # 31 January, 28 February, 31 March
        assert life.cycle()[-2:] == [(5, 5, 5), (10, 20, 20)]

    def test_makes_way_for_a_paid_one(self, life, stripe, plan):
        free = life.begin(make_plan(stripe, price=0, included_credits=20))
        row = life.subscribe(plan)
        assert again(free).status == "cancelled"
        assert row.status == "active"

    def test_ends_with_its_period(self, life, stripe):
        row = life.begin(make_plan(stripe, price=0, included_credits=20))
        assert request(life, changing.Kind.CANCEL).cancel_at_period_end
        life.now = FEBRUARY
        with life.here():
            own_periods.sweep()
        assert again(row).status == "cancelled"
        assert [one[:2] for one in life.cycle()] == [(10, 20)]


def test_the_button_says_what_it_does(life, stripe, plan):
    dear, cheap = make_plan(stripe, price=9900), make_plan(stripe, price=900)
    yearly = make_plan(stripe, price=99000, interval="year")

    def words():
        present = reading.present_of(life.organization)
        versions = (plan, dear, cheap, yearly)
        return [reading.scenario_of(present, version).word for version in versions]

    assert words() == ["subscribe"] * 4
    row = life.begin(plan)
    assert words() == ["pay", "subscribe", "subscribe", "subscribe"]
    life.press(row)
    life.tell()
    assert words() == ["current", "upgrade", "downgrade", "downgrade"]
    with life.here():
        change = changing.request_plan(organization=life.organization, version=cheap)
        changing.carry_out(change)
    assert words() == ["current", "upgrade", "scheduled", "downgrade"]

"""Which credits an upgrade moves: for its own money, its own period, and no more than paid."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.billing.errors import PaymentDeclined
from apps.billing.models import Customer, SubscriptionChange
from apps.billing.services.subscriptions import asking, changing, following
from apps.core import scope
from apps.core.invariants import verify
from apps.credits.models import Lot
from apps.credits.services.charges import charge_amount
from apps.credits.services.plan_changes import Share, preview_swap
from tests.billing.subscribing import START, Life, again, make_plan

HALF = START + timedelta(days=14)  # of 28 days
END = START + timedelta(days=28)
HOUR = timedelta(hours=1, minutes=1)  # a renewal's invoice is a draft for an hour
DAY = 86400


@pytest.fixture
def life(stripe, settings):
    settings.MOVABLE_CLOCK = True
    settings.TRIAL_CREDITS = 0
    yield Life(stripe)
    assert [one for one in verify() if one.failures] == []


def choose(life, version, quantity=1):
    """Change the plan, as page and API do, and hear what Stripe tells of it."""
    change = _request(life, version, quantity)
    with life.here():
        changing.carry_out(change)
    life.tell()
    return SubscriptionChange.objects.get(pk=change.pk)


def _request(life, version, quantity=1):
    with life.here():
        return changing.request_plan(
            organization=life.organization, version=version, quantity=quantity
        )


@pytest.mark.django_db(transaction=True)
class TestAnUpgrade:
    def test_that_is_heard_of_in_the_next_period_gives_nothing_for_that(self, life, stripe):
        """The worker was away: the renewal gives the new plan's credits, and nothing else does."""
        small, large = make_plan(stripe), make_plan(stripe, price=9900, included_credits=2000)
        row = life.subscribe(small)
        life.move(HALF)
        change = _request(life, large)
        with life.here():
            asking.ask_stripe(change)
        life.move(END + HOUR)

        change.refresh_from_db()
        assert (change.status, change.credits_taken, change.credits_given) == ("accepted", 0, 0)
        assert again(row).current_period_start == END
        assert [granted for _, granted, _ in life.cycle()] == [500, 100, 2000]

    def test_is_not_paid_by_another_ones_invoice(self, life, stripe):
        """Somebody has raised the quantity at Stripe itself; heard of while we ask for more."""
        plan = make_plan(stripe, has_quantity=True)
        row = life.subscribe(plan)
        life.move(HALF)
        _raise_at_stripe(life, row, 2)
        life.move(HALF + timedelta(minutes=5), tells=False)
        change = _request(life, plan, 4)

        def decline(change):
            life.tell()
            raise PaymentDeclined(reason="No.")

        with (
            pytest.MonkeyPatch.context() as patch,
            pytest.raises(PaymentDeclined),
            life.here(),
        ):
            patch.setattr(asking, "ask_stripe", decline)
            changing.carry_out(change)

        change.refresh_from_db()
        assert (change.status, change.posted_at) == ("refused", None)
        assert life.cycle() == [(10, 500, 500)]

    def test_one_by_one_gives_no_more_than_the_last_plan_does(self, life, stripe):
        """All is spent before each step: paid are four units, given are four units' credits."""
        plan = make_plan(stripe, has_quantity=True)
        life.subscribe(plan)
        for quantity in (2, 3, 4):
            _spend(life)
            choose(life, plan, quantity)

        assert [granted for _, granted, _ in life.cycle()] == [500, 500, 500, 500]
        assert life.wallet().balance == 500


def _raise_at_stripe(life, row, quantity):
    subscriptions = life.stripe.v1.subscriptions
    told = subscriptions.retrieve(again(row).stripe_subscription_id)
    item = {"id": told["items"].data[0].id, "quantity": quantity}
    subscriptions.update(told.id, {"items": [item], "proration_behavior": "always_invoice"})


def _spend(life):
    with life.here():
        charge_amount(
            wallet=life.wallet(),
            amount=life.wallet().balance,
            reference=f"use:{len(life.cycle())}",
            source="test",
        )


@pytest.mark.django_db(transaction=True)
def test_a_downgrade_survives_news_that_are_older(life, stripe):
    """A worker asked before the schedule was there, and writes after it: what it knows is old."""
    large, small = make_plan(stripe, price=9900, included_credits=2000), make_plan(stripe)
    row = life.subscribe(large)
    with life.here():
        stale = following.ask_for(row.stripe_subscription_id)
    life.now += timedelta(seconds=1)
    change = _request(life, small)
    ask_for = following.ask_for

    def worker_comes_between(subscription_id):
        with pytest.raises(following.Overtaken):
            _follow(life, stale)
        return ask_for(subscription_id)

    with pytest.MonkeyPatch.context() as patch, life.here():
        patch.setattr(following, "ask_for", worker_comes_between)
        changing.carry_out(change)

    assert (again(row).next_version, bool(again(row).stripe_schedule_id)) == (small, True)


def _follow(life, whole):
    with scope.within(life.organization.pk), transaction.atomic():
        customer = Customer.objects.select_for_update().get(organization=life.organization)
        following.follow(customer=customer, whole=whole)


# The same stories each time, however slow the machine is.
@settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    first=st.integers(1, 50),
    steps=st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 27 * DAY), st.integers(0, 100)),
        min_size=1,
        max_size=6,
    ),
)
def test_no_chain_of_upgrades_gives_more_than_its_last_plan(first, steps):
    """Whatever is used between the steps, and whenever in the period they are taken."""
    lots, allowance, moved = [Lot(remaining=first)], first, first
    for more, moment, percent in sorted(steps, key=lambda step: step[1]):
        for lot in lots:
            lot.remaining -= lot.remaining * percent // 100
        share = Share(28 * DAY - moment, 28 * DAY)
        swap = preview_swap(lots=lots, share=share, former=allowance, allowance=allowance + more)
        for lot in lots:
            lot.remaining -= share.floor(lot.remaining)
        lots.append(Lot(remaining=swap.given))
        moved += swap.given - swap.taken
        allowance += more
        assert swap.given <= share.ceil(allowance)
        assert moved <= allowance

"""A paid plan that is chosen beside a free one: whoever abandons the page keeps his plan."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.billing.errors import AlreadySubscribed
from apps.billing.models import Customer, OrganizationSubscription
from apps.billing.selectors import subscriptions as reading
from apps.billing.services.subscriptions import abandoning, following, own_periods
from apps.core.clock import moved_to
from tests.billing.subscribing import again, make_plan
from tests.billing.test_subscription_life import FEBRUARY, HOUR, life, movable, plan
from tests.people import make_member, signed_in
from tests.races.racing import at_once

__all__ = ["life", "movable", "plan"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(life):
    return make_member(life.organization, "owner")


@pytest.fixture
def free(life, owner, stripe):
    """Return the organization's free plan."""
    features = {"unlimited_operations": ["image.restyle"]}
    version = make_plan(stripe, price=0, included_credits=20, max_users=1, features=features)
    return life.begin(version)


def living():
    return list(OrganizationSubscription.objects.exclude(status__in=OrganizationSubscription.OVER))


def test_abandoned_leaves_the_free_plan_as_it_was(life, free, plan):
    row = life.begin(plan)
    assert (again(free).status, row.status) == ("active", "incomplete")
    assert reading.present_of(life.organization) == free
    assert reading.waiting_of(life.organization) == row
    with life.here():
        assert reading.unlimited_operations(life.organization) == {"image.restyle"}

    OrganizationSubscription.objects.filter(pk=row.pk).update(
        created_at=life.now - abandoning.PAGE_LIVES - timedelta(minutes=1)
    )
    with life.here():
        assert abandoning.sweep() == 1

    assert (again(free).status, again(row).status) == ("active", "expired")
    life.organization.refresh_from_db()
    assert life.organization.max_users == 1
    with moved_to(FEBRUARY):  # its periods go on
        assert own_periods.sweep() == 1
    assert again(free).current_period_end > FEBRUARY


def test_paid_leaves_exactly_one_plan(life, free, plan):
    row = life.begin(plan)
    life.press(row)
    assert len(living()) == 2
    life.tell()
    assert living() == [again(row)]
    assert again(row).status == "active"
    assert again(free).status == "cancelled"
    life.organization.refresh_from_db()
    assert life.organization.max_users == 5
    life.tell()
    life.move(FEBRUARY + HOUR)
    assert living() == [again(row)]


def test_ends_the_free_plan_in_the_transaction_that_starts_it(life, free, plan, monkeypatch):
    row = life.begin(plan)
    life.press(row)
    with life.here():
        whole = following.ask_for(
            life.stripe.v1.subscriptions.list({"customer": life.customer.id}).data[0].id
        )

    class Crash(Exception):
        """The worker dies."""

    def crash(**_):
        raise Crash

    monkeypatch.setattr(following.invoices, "follow_invoice", crash)
    with pytest.raises(Crash), life.here(), transaction.atomic():
        following.follow(customer=Customer.objects.get(), whole=whole)
    assert (again(free).status, again(row).status) == ("active", "incomplete")
    monkeypatch.undo()
    life.tell()
    assert (again(free).status, again(row).status) == ("cancelled", "active")


def test_chosen_by_two_at_once_is_one(life, free, plan, stripe):
    other = make_plan(stripe)

    def choose(version):
        try:
            return life.begin(version).version
        except AlreadySubscribed:
            return None

    chosen = at_once([lambda: choose(plan), lambda: choose(other)])
    assert len(living()) == 2
    assert reading.waiting_of(life.organization).version in chosen
    assert reading.present_of(life.organization) == free


def test_heard_of_by_two_while_the_free_period_turns_is_one(life, free, plan):
    row = life.begin(plan)
    life.press(row)
    subscription = life.stripe.v1.subscriptions.list({"customer": life.customer.id}).data[0]
    OrganizationSubscription.objects.filter(pk=row.pk).update(
        stripe_subscription_id=subscription.id
    )

    def hear():
        with moved_to(FEBRUARY):
            following.look(again(row))

    def turn():
        with moved_to(FEBRUARY):
            own_periods.sweep()

    at_once([hear, hear, turn])
    assert living() == [again(row)]
    assert again(row).status == "active"
    assert again(free).status == "cancelled"


@pytest.mark.parametrize("status", ["active", "incomplete"])
def test_the_database_takes_one_of_each(life, free, plan, status):
    life.begin(plan)
    with pytest.raises(IntegrityError), transaction.atomic():
        OrganizationSubscription.objects.create(
            organization=life.organization, version=plan, status=status
        )


def test_another_free_plan_takes_its_place_at_once(life, free, stripe):
    other = life.begin(make_plan(stripe, price=0, included_credits=10))
    assert living() == [other]
    assert again(free).status == "cancelled"


def test_free_plans_in_turn_give_their_credits_once_a_period(life, free, stripe):
    given = life.wallet().balance
    other = make_plan(stripe, price=0, included_credits=10)
    for version in (other, again(free).version, other):
        life.begin(version)
    assert life.wallet().balance == given
    (row,) = living()
    assert row.current_period_end == again(free).current_period_end
    life.now = row.current_period_end
    with life.here():
        assert own_periods.sweep() == 1
    assert life.wallet().balance == 10  # what was given before is over


def test_the_page_shows_both(life, owner, free, plan):
    row = life.begin(plan)
    client = signed_in(owner)
    with life.here():
        page = client.get(f"/o/{life.organization.slug}/billing/subscription/").content.decode()
        plans = client.get(f"/o/{life.organization.slug}/billing/plans/").content.decode()
    assert free.version.plan.name in page
    assert f"{plan.plan.name} is not paid yet" in page
    assert row.pay_url.replace("&", "&amp;") in page
    assert "Finish the payment" in plans

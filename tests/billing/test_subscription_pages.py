"""What the pages of the subscription tell, and how they wait for Stripe's news."""

import pytest
from django.db import connection

from apps.billing.errors import StripeUnavailable
from apps.billing.gateway import objects
from apps.billing.models import Customer, OrganizationSubscription
from apps.billing.services.subscriptions import changing
from tests.billing.buying import text_of
from tests.billing.subscribing import Life, make_plan
from tests.billing.test_subscription_life import FEBRUARY, HOUR
from tests.people import make_member, make_organization, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def movable(settings):
    settings.MOVABLE_CLOCK = True


@pytest.fixture
def life(stripe):
    return Life(stripe)


@pytest.fixture
def owner(life):
    return make_member(life.organization, "owner")


@pytest.fixture
def open_page(life, owner):
    """Look at the page of the subscription, at the moment of the customer's clock."""

    def look(query="", person=owner):
        with life.here():
            return signed_in(person).get(
                f"/o/{life.organization.slug}/billing/subscription/{query}"
            )

    return look


class TestAPlan:
    def test_that_was_just_paid_is_awaited_and_not_paid_again(self, stripe, life, open_page):
        row = life.begin(make_plan(stripe))
        left = open_page()
        assert row.pay_url in left.content.decode()
        assert "hx-get" not in left.content.decode()
        _, _, back = life.press(row)

        assert back.endswith("/billing/subscription/?paid=1")
        page = open_page("?paid=1&look=1").content.decode()
        assert row.pay_url not in page
        assert 'subscription/?paid=1&amp;look=2"' in page
        assert "hx-get" not in open_page("?paid=1&look=61").content.decode()

        life.tell()
        page = open_page("?paid=1&look=1")
        assert "Active" in text_of(page)
        assert "hx-get" not in page.content.decode()

    def test_that_was_just_paid_begins_before_stripe_tells_of_it(self, stripe, life, open_page):
        row = life.begin(make_plan(stripe))
        life.press(row)

        page = open_page("?paid=1")

        assert "Active" in text_of(page)
        assert "hx-get" not in page.content.decode()
        assert "500 of 500 left" in text_of(page)
        life.tell()
        assert "500 of 500 left" in text_of(open_page())

    def test_is_awaited_though_stripe_is_away(self, stripe, life, open_page, monkeypatch):
        row = life.begin(make_plan(stripe))
        life.press(row)

        def away(*args, **kwargs):
            raise StripeUnavailable

        monkeypatch.setattr(objects, "retrieve", away)
        page = open_page("?paid=1").content.decode()

        assert 'subscription/?paid=1&amp;look=1"' in page
        assert row.pay_url not in page

    def test_that_is_paid_while_its_page_is_drawn_is_awaited_or_there(
        self, stripe, life, open_page
    ):
        row = life.begin(make_plan(stripe))
        life.press(row)

        def pay(execute, sql, params, many, context):
            result = execute(sql, params, many, context)
            if sql.startswith("SELECT") and 'FROM "billing_organizationsubscription"' in sql:
                OrganizationSubscription.objects.filter(pk=row.pk).update(status="active")
            return result

        with connection.execute_wrapper(pay):
            page = open_page("?paid=1&look=1").content.decode()

        assert "Waiting for payment" not in page or "hx-get" in page

    def test_says_what_was_carried_over(self, stripe, life, open_page):
        life.subscribe(make_plan(stripe))
        assert "carried over" not in text_of(open_page())
        life.move(FEBRUARY + HOUR)

        assert "500 of 500 left and 100 carried over" in text_of(open_page())

    def test_does_not_count_as_used_what_an_upgrade_exchanged(self, stripe, life, open_page):
        life.subscribe(make_plan(stripe))
        large = make_plan(stripe, price=9900, included_credits=2000)
        with life.here():
            change = changing.request_plan(organization=life.organization, version=large)
            changing.carry_out(change)

        assert "2,000 of 2,000 left" in text_of(open_page())

    def test_that_is_paid_for_is_left_before_a_free_one(self, stripe, life, owner):
        life.subscribe(make_plan(stripe))
        make_plan(stripe, price=0)
        with life.here():
            page = signed_in(owner).get(f"/o/{life.organization.slug}/billing/plans/")

        assert "Cancel your plan first" in text_of(page)
        assert "Downgrade" not in text_of(page)

    def test_leads_to_the_plans(self, stripe, life, open_page):
        plans = f'href="/o/{life.organization.slug}/billing/plans/">'
        assert f"{plans}See the plans" in open_page().content.decode()
        reader = make_member(life.organization, "read-only")
        life.subscribe(make_plan(stripe))

        assert f"{plans}Change the plan" in open_page().content.decode()
        assert "Change the plan" not in text_of(open_page(person=reader))
        OrganizationSubscription.objects.update(cancel_at_period_end=True)
        assert "Change the plan" not in text_of(open_page())


class TestTheCard:
    def test_that_was_just_saved_is_awaited(self, stripe):
        organization = make_organization()
        client = signed_in(make_member(organization, "owner"))
        place = f"/o/{organization.slug}/billing/payment-methods/"
        assert "hx-get" not in client.get(place).content.decode()

        assert (
            f'hx-get="{place}?saved=1&amp;look=1"'
            in client.get(f"{place}?saved=1").content.decode()
        )
        assert "hx-get" not in client.get(f"{place}?saved=1&look=60").content.decode()

        Customer.objects.create(
            organization=organization, is_live=False, payment_method_id="pm_1", card_last4="4242"
        )
        assert "hx-get" not in client.get(f"{place}?saved=1&look=1").content.decode()

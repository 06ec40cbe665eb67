"""
What the stories need behind the scenes: plans without a trial, and a month that passes.

Run in a process of its own (`manage.py shell`), because it works on the data of the running
stack: the environment says where these are.
"""

import time
from datetime import UTC, datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from stripe import StripeClient

from apps.billing.models import Customer, OrganizationSubscription
from apps.billing.services import catalogue, syncing, versions
from apps.billing.services.subscriptions import following
from apps.core import clock, context
from apps.tenants.models import User
from apps.tenants.services.organizations import create_organization

CREDITS, CARRIED = 500, 100
PASSWORD = "a long and quiet sentence"  # of somebody who is made up
EMAIL, SLUG = "owner@month.test", "month-by-month"


def prepare() -> None:
    """Sell two plans, and let somebody be a customer whose time at Stripe can be moved."""
    with context.acting(actor="system:demo"):
        sell("story-small", "Story small", price=2900, included_credits=CREDITS)
        sell("story-large", "Story large", price=9900, included_credits=4 * CREDITS)
        owner = User.objects.create_user(EMAIL, PASSWORD, full_name="Mona Month")
        EmailAddress.objects.create(user=owner, email=EMAIL, verified=True, primary=True)
        organization = create_organization(name="Month by month", slug=SLUG, owner=owner)
        frozen = int(datetime.now(UTC).timestamp())
        moment = stripe().test_helpers.test_clocks.create({"frozen_time": frozen})
        made = stripe().customers.create({"test_clock": moment.id, "email": EMAIL})
        Customer.objects.create(organization=organization, stripe_id=made.id, is_live=False)


def sell(code: str, name: str, **terms: object) -> None:
    """Offer a plan, here and at Stripe."""
    plan = catalogue.create_plan(code=code, name=name, position=100)
    versions.publish_plan_version(
        plan, currency="eur", interval="month", rollover_cap=CARRIED, **terms
    )
    syncing.push(plan)


def pass_a_month() -> None:
    """
    Let the period end at Stripe, and do what a worker does that hears of it then.

    The running worker hears of it, too; by its clock the period is not over, so it waits.
    """
    row = OrganizationSubscription.objects.get(organization__slug=SLUG)
    later = row.current_period_end + timedelta(hours=1, minutes=1)  # a draft for an hour
    customer = Customer.objects.get(organization=row.organization)
    moment = stripe().customers.retrieve(customer.stripe_id).test_clock
    clocks = stripe().test_helpers.test_clocks
    clocks.advance(moment, {"frozen_time": int(later.timestamp())})
    while clocks.retrieve(moment).status == "advancing":
        time.sleep(0.1)
    with clock.moved_to(later):
        following.look(row)


def stripe() -> object:
    """Return Stripe's own client, beside our gateway."""
    address = {"api": settings.STRIPE_API_URL}
    return StripeClient(settings.STRIPE_SECRET_KEY, base_addresses=address).v1

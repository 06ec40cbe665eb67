"""A sandbox's clock at Stripe, and the moment at which its news are handled."""

from contextlib import AbstractContextManager, nullcontext

from django.conf import settings
from django.db import transaction

from apps.billing.gateway import clocks as gateway
from apps.billing.models import Customer, Sandbox
from apps.billing.services.handling import NotKnownYet
from apps.core import scope
from apps.core.db import outside_transaction
from apps.tenants.models import Organization


@outside_transaction
def ensure_clock(organization: Organization) -> str:
    """
    Return the test clock by which a sandbox's customer lives; empty if it is none.

    Asked when the customer's row is written: after that it cannot become one any more.
    """
    if not settings.MOVABLE_CLOCK:
        return ""
    with transaction.atomic():
        # Whoever makes it a sandbox at this moment has the lock, or sees the customer's row.
        rows = Organization.objects.select_for_update(no_key=True)
        moment = rows.get(pk=organization.pk).clock_at
    if moment is None:
        return ""
    sandbox = Sandbox.objects.get(organization=organization)
    if not sandbox.stripe_clock_id:
        key = f"{sandbox.public_id}:{int(moment.timestamp())}"
        made = gateway.create_clock(key=key, name=organization.name, moment=moment)
        Sandbox.objects.filter(pk=sandbox.pk, stripe_clock_id=None).update(stripe_clock_id=made)
        sandbox.refresh_from_db()
    assert sandbox.stripe_clock_id
    return sandbox.stripe_clock_id


def moment_of(customer: Customer | None) -> AbstractContextManager[None]:
    """
    Let a customer's news be handled at the moment that it is in his organization.

    :raises NotKnownYet: while a sandbox's clock is on its way: Stripe's is ahead of ours then.
    """
    organization = customer.organization if customer else None
    if organization is None or organization.clock_at is None:
        return nullcontext()
    moving = Sandbox.objects.filter(organization=organization).exclude(moving_to=None)
    if moving.exists():
        raise NotKnownYet(f"the clock of the sandbox {organization.slug} is on its way")
    return scope.within(organization.pk, organization.clock_at)

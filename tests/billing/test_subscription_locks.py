"""Whoever waits for a subscription finds it as it is after the wait."""

import pytest
from django.db import transaction

from apps.billing.models import OrganizationSubscription
from apps.billing.services.subscriptions.changing import lock_present
from apps.billing.services.subscriptions.locking import lock_subscriptions
from tests.billing.subscribing import make_plan
from tests.billing.test_subscription_life import life, movable
from tests.races.racing import meanwhile

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["life", "movable"]  # fixtures


@pytest.fixture
def plans(stripe):
    return make_plan(stripe), make_plan(stripe, price=9900)


class TestASubscriptionThatIsWaitedFor:
    """Another transaction changes its plan, and commits when this one waits for it."""

    def test_is_found_with_its_new_version(self, life, plans):
        small, large = plans
        row = life.subscribe(small)

        found = meanwhile(lambda: change(row, version=large), lambda: lock_it(life))

        assert found == (large.pk, large.plan)

    def test_is_found_with_its_new_next_version(self, life, plans):
        small, large = plans
        row = life.subscribe(large)

        def lock():
            with life.here(), transaction.atomic():
                return lock_subscriptions(rows(row)).get().next_version

        assert meanwhile(lambda: change(row, next_version=small), lock) == small


def rows(row):
    return OrganizationSubscription.objects.filter(pk=row.pk)


def change(row, **changes):
    assert rows(row).update(**changes)


def lock_it(life):
    with life.here(), transaction.atomic():
        locked = lock_present(life.organization)
        return locked.version_id, locked.version.plan

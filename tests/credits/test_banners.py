"""What every page says of credits that nobody can use."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import context
from apps.core.banners import Place, Viewer
from apps.core.clock import database_now
from apps.credits.models import Budget, Wallet
from apps.credits.pages.banners import banners_of
from apps.credits.selectors import main_wallet
from apps.credits.services.budgets import create_budget
from apps.credits.services.charges import charge_amount
from apps.rbac.permissions import MEMBER, OWNER
from tests.people import make_member, make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def member(organization):
    return make_member(organization, "member")


def said(organization, user, permissions=MEMBER.codes):
    return list(banners_of(Viewer(organization, user, permissions, "credits")))


def limit(organization, amount=10, **terms):
    return create_budget(wallet=main_wallet(organization), monthly_limit=amount, **terms)


def use(organization, amount, user):
    wallet = main_wallet(organization)
    with context.acting(actor=f"user:{user.public_id}"):
        charge_amount(wallet=wallet, amount=amount, reference="use", source="test")


class TestAFrozenWallet:
    def test_is_told_to_who_sees_credits(self, organization, member):
        assert said(organization, member) == []
        Wallet.objects.filter(organization=organization).update(frozen_at=database_now())

        (banner,) = said(organization, member)

        assert banner.place == Place.FROZEN
        assert "none can be used. Write to support." in banner.text
        assert banner.dismissed_as == ""
        assert said(organization, member, frozenset()) == []


class TestALimit:
    def test_that_is_used_up_is_told_until_when(self, organization, member):
        budget = limit(organization)
        use(organization, 9, member)
        assert said(organization, member) == []
        Budget.objects.filter(pk=budget.pk).update(monthly_limit=9)

        (banner,) = said(organization, member)

        assert banner.place == Place.OVER_LIMIT
        assert banner.text.startswith("The organization's limit of 9 credits a month is used up")
        assert banner.text.endswith("Ask somebody who sets limits.")
        (mine,) = said(organization, member, OWNER.codes)
        assert budget.public_id in mine.action_url

    def test_of_ones_own_is_told_to_him_alone(self, organization, member):
        limit(organization, member=member)
        use(organization, 10, member)

        (banner,) = said(organization, member)

        assert banner.text.startswith("Your limit of 10 credits a month")
        assert said(organization, make_member(organization, "member")) == []

    def test_that_only_tells_refuses_nothing(self, organization, member):
        limit(organization, action=Budget.Action.NOTIFY)
        use(organization, 10, member)
        assert said(organization, member) == []

    def test_is_not_asked_for_where_there_is_none(self, organization, member):
        with CaptureQueriesContext(connection) as asked:
            said(organization, member)
        assert not [one for one in asked if "credits_budget" in one["sql"].split("FROM")[1]]

"""A wallet without a trial, and the ledger's invariants after each test."""

import pytest

from apps.core.invariants import verify
from apps.credits import selectors
from apps.credits.models import Lot
from apps.credits.services.grants import grant_credits
from apps.credits.services.prices import set_price
from tests.people import make_organization


@pytest.fixture(autouse=True)
def _nothing_is_broken(settings, db):
    settings.TRIAL_CREDITS = 0
    yield
    assert [finding for finding in verify() if finding.failures] == []


@pytest.fixture
def organization(_nothing_is_broken):
    set_price(name="render", credit_cost=10, category="compute", description="Render")
    return make_organization()


@pytest.fixture
def wallet(organization):
    return selectors.main_wallet(organization)


@pytest.fixture
def grant(wallet):
    """Grant a lot, 100 purchased credits unless said otherwise."""

    def grant(amount=100, kind=Lot.Kind.PURCHASE, reference="payment:1", to=wallet, **terms):
        grant_credits(
            wallet=to, amount=amount, kind=kind, reference=reference, source="test", **terms
        )
        return Lot.objects.get(wallet=to, origin=reference)

    return grant

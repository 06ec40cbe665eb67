"""What the demo sells: made once, at the simulator once."""

import pytest

from apps.billing.models import PlanVersion
from apps.billing.selectors import catalogue as selectors
from apps.billing.services import syncing
from apps.credits.services.prices import set_price
from demo import billing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _prices():
    set_price(name="image.restyle", credit_cost=5, category="compute")


def test_sells_the_tiers_of_the_documents_and_three_packs(stripe):
    for _ in range(2):
        billing.seed_catalogue()

    plans = selectors.current_plans()
    assert [one.plan.code for one in plans] == [
        "free",
        "pass-7-days",
        "property",
        "pro",
        "pro-annual",
    ]
    assert [one.interval for one in plans] == ["month", "pass", "month", "month", "year"]
    assert [one.has_quantity for one in plans] == [False, False, True, False, False]
    assert "unlimited_operations" in plans[3].features
    assert plans[3].number == 2
    assert len(selectors.current_products()) == 3
    assert PlanVersion.objects.filter(price__gt=0, stripe_price_id="").count() == 0
    assert len(stripe.v1.prices.list({"limit": 100}).data) == 8
    assert syncing.compare_all() == 0


def test_leaves_a_stripe_of_ones_own_alone(settings):
    settings.STRIPE_SECRET_KEY = "sk_test_" + "a" * 24
    settings.STRIPE_API_URL = ""
    billing.seed_catalogue()
    assert len(selectors.current_plans()) == 5


def test_goes_on_without_a_simulator_that_answers(settings):
    settings.STRIPE_SECRET_KEY = "sk_test_" + "a" * 24
    settings.STRIPE_API_URL = "http://127.0.0.1:9"  # nobody is there
    billing.seed_catalogue()
    assert PlanVersion.objects.exclude(stripe_price_id="").count() == 0

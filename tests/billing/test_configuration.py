"""Whose key, which mode, and never a stand-in by mistake."""

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from apps.billing.errors import BillingNotConfigured
from apps.billing.gateway import objects
from config.stripe import check_stripe

LIVE, TEST = "sk_live_" + "0" * 24, "sk_test_" + "0" * 24
PRODUCTION = {"stand_in": "", "may_simulate": False, "is_clock_movable": False}
DEMO = {"stand_in": "http://127.0.0.1:12111", "may_simulate": True, "is_clock_movable": True}


def errors_of_billing() -> set[str]:
    found = run_checks(include_deployment_checks=True)
    return {one.id for one in found if str(one.id).startswith("billing.")}


class TestTheKeyOfStripe:
    @pytest.mark.parametrize(
        "allowed",
        [
            {"key": LIVE, "is_live": True, **PRODUCTION},
            {"key": TEST, "is_live": False, **PRODUCTION},
            {"key": "", "is_live": False, **PRODUCTION},
            {"key": TEST, "is_live": False, **DEMO},
        ],
    )
    def test_goes_with_its_mode(self, allowed):
        check_stripe(**allowed)

    @pytest.mark.parametrize(
        "refused",
        [
            {"key": LIVE, "is_live": False, **PRODUCTION},
            {"key": "rk_live_" + "0" * 24, "is_live": False, **PRODUCTION},
            {"key": TEST, "is_live": True, **PRODUCTION},
            {"key": TEST, "is_live": False, **DEMO, "may_simulate": False},
            {"key": LIVE, "is_live": True, **DEMO, "is_clock_movable": False},
            {"key": LIVE, "is_live": True, **PRODUCTION, "is_clock_movable": True},
        ],
    )
    def test_that_would_take_money_by_mistake_stops_the_start(self, refused):
        with pytest.raises(ImproperlyConfigured):
            check_stripe(**refused)

    def test_is_asked_for_before_stripe_is(self):
        with pytest.raises(BillingNotConfigured):
            objects.retrieve("customer", "cus_1")


@pytest.mark.django_db
class TestDeploymentChecks:
    def test_fail_without_a_key(self):
        assert errors_of_billing() == {"billing.E001"}

    def test_fail_without_the_secret_of_the_webhook(self, settings):
        settings.STRIPE_SECRET_KEY = TEST

        assert errors_of_billing() == {"billing.E002"}

    def test_pass_with_both(self, settings):
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRETS = TEST, ["whsec_1"]

        assert errors_of_billing() == set()

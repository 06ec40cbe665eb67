"""The banner above every page: which one, for whom, with what to do, and until when."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.billing.models import AutoReload, Customer, OrganizationSubscription, Payment
from apps.billing.pages.banners import banners_of
from apps.core.banners import Banner, Place, Viewer, banner_for, register
from apps.core.clock import database_now
from apps.credits.models import Lot, Wallet
from apps.credits.selectors import balance_of, main_wallet
from apps.credits.services.charges import charge_amount
from apps.credits.services.grants import grant_credits
from apps.rbac.permissions import BILLING_MANAGER, MEMBER, READ_ONLY
from tests.billing.selling import make_plan, make_plan_version
from tests.people import make_member, make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db
ALL, LOOKS, OWN = BILLING_MANAGER.codes, READ_ONLY.codes, MEMBER.codes
_number = count(1)
MONEY = {"currency": "eur", "is_live": False, "pay_url": "https://stripe.test/pay"}


@pytest.fixture(autouse=True)
def live(settings):
    """Billing as in production, so that only what a test makes is said."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_LIVE_MODE = "sk_live_" + "a" * 24, True


@pytest.fixture
def organization():
    """One whose credits are many and end never."""
    made = make_organization()
    leave(made, 0)  # of the credits that it began with, which expire
    grant(made, "organization", amount=1000)
    return made


def leave(organization, credits):
    wallet = main_wallet(organization)
    rest = balance_of(wallet).available - credits
    charge_amount(wallet=wallet, amount=rest, reference=f"leave:{next(_number)}", source="test")


def grant(organization, name, amount=10, **terms):
    grant_credits(
        wallet=main_wallet(organization),
        amount=amount,
        kind=Lot.Kind.PROMOTIONAL,
        reference=f"test:{name}",
        source="test",
        **terms,
    )


def subscribe(organization, status, **fields):
    return OrganizationSubscription.objects.create(
        organization=organization,
        version=make_plan_version(make_plan(name="Pro")),
        status=status,
        **fields,
    )


def make_reload(organization, **fields):
    terms = {"is_enabled": True, "threshold": 10, "amount": 100, "price": 100, "currency": "eur"}
    consent = {
        "consent_text": "Yes.",
        "consented_at": database_now(),
        "consented_by": make_person(),
    }
    return AutoReload.objects.create(organization=organization, **terms | consent | fields)


def past_due(organization):
    subscribe(organization, "past_due", past_due_since=database_now())
    Payment.objects.create(
        organization=organization, purpose="invoice", amount=2900, status="failed", **MONEY
    )


def action_required(organization):
    Payment.objects.create(
        organization=organization, purpose="custom", amount=500, status="action_required", **MONEY
    )


def spend_all(organization):
    leave(organization, 0)


def reload_suspended(organization):
    make_reload(organization, state="suspended", reason="declined")


def reload_paused(organization):
    make_reload(organization, state="paused", reason="action_required")


def reload_without_card(organization):
    make_reload(organization)


def trial_ends(organization):
    subscribe(organization, "trial", trial_end=database_now() + timedelta(days=2))


def almost_spend_all(organization):
    leave(organization, 1)


def credits_expire(organization):
    grant(organization, "soon", lives=timedelta(days=6))


# What makes it so; what it says; whether it is told to who sees money, and to who sees credits.
CASES = {
    past_due: (Place.PAYMENT_FAILED, "The payment for Pro failed. It works until", True, False),
    action_required: (Place.AUTHENTICATION_NEEDED, "confirm a payment of €5.00", True, False),
    reload_paused: (Place.AUTHENTICATION_NEEDED, "the bank wants to see you", True, False),
    spend_all: (Place.OUT_OF_CREDITS, "No credits are left", True, True),
    reload_suspended: (Place.RELOAD_STOPPED, "declined three times in a row", True, False),
    reload_without_card: (Place.RELOAD_STOPPED, "there is no saved card", True, False),
    trial_ends: (Place.TRIAL_ENDS, "€29.00 plus taxes is charged then", True, False),
    almost_spend_all: (Place.LOW_BALANCE, "1 credit is left, less than a tenth", True, True),
    credits_expire: (Place.CREDITS_EXPIRE, "10 credits expire on", True, True),
}


def shown(organization, permissions=ALL, section="credits", dismissed=(), user=None):
    return banner_for(Viewer(organization, user, permissions, section), dismissed)


class TestEachBanner:
    @pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
    def test_is_told_to_whom_it_concerns(self, organization, make):
        place, words, for_money, for_credits = CASES[make]
        assert shown(organization) is None
        make(organization)

        manager = shown(organization)
        assert (manager.place, words in manager.text) == (place, True)
        assert manager.action_url
        assert (shown(organization, LOOKS) is not None) == for_money
        assert (shown(organization, OWN) is not None) == for_credits
        assert shown(organization, frozenset()) is None

    @pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
    def test_offers_what_to_do_to_those_who_may(self, organization, make):
        make(organization)
        if make is credits_expire:
            return  # everybody may look at lots
        reader = shown(organization, LOOKS)
        assert (reader.action_url, reader.action_label) == ("", "")
        assert reader.text.endswith("Ask somebody who manages billing.")
        assert "Ask somebody" not in shown(organization).text

    @pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
    def test_can_be_dismissed_only_if_it_is_about_what_comes(self, organization, make):
        make(organization)
        comes = make in (trial_ends, almost_spend_all, credits_expire)
        assert bool(shown(organization).dismissed_as) == comes

    def test_is_the_most_urgent_of_all(self, organization):
        makes = [credits_expire, trial_ends, reload_suspended, action_required]
        order = []
        for make in makes:
            make(organization)
            order.append(shown(organization).place)
        assert order == [
            Place.CREDITS_EXPIRE,
            Place.TRIAL_ENDS,
            Place.RELOAD_STOPPED,
            Place.AUTHENTICATION_NEEDED,
        ]

    def test_leads_to_the_page_where_it_is_paid(self, organization):
        past_due(organization)
        banner = shown(organization)
        assert (banner.action_url, banner.action_label) == (MONEY["pay_url"], "Pay now")

    def test_says_that_grace_is_over(self, organization):
        subscribe(organization, "past_due", past_due_since=database_now() - timedelta(days=15))
        banner = shown(organization)
        assert "It has not worked since" in banner.text
        assert banner.action_label == "Change the card"


class TestNothing:
    def test_is_said_of_a_trial_that_goes_on(self, organization):
        subscribe(organization, "trial", trial_end=database_now() + timedelta(days=4))
        assert shown(organization) is None

    def test_is_charged_after_a_trial_that_was_cancelled(self, organization):
        end = database_now() + timedelta(days=1)
        subscribe(organization, "trial", trial_end=end, cancel_at_period_end=True)
        assert "nothing is charged" in shown(organization).text

    def test_is_said_of_credits_that_live_for_eight_days(self, organization):
        grant(organization, "late", lives=timedelta(days=8))
        assert shown(organization) is None

    def test_is_missing_where_a_credit_line_goes_on(self, organization):
        spend_all(organization)
        Wallet.objects.filter(organization=organization).update(credit_line=100)
        assert shown(organization) is None

    def test_is_low_where_it_is_reloaded(self, organization):
        almost_spend_all(organization)
        make_reload(organization)
        Customer.objects.create(
            organization=organization, stripe_id="cus_1", payment_method_id="pm_1", is_live=True
        )
        assert shown(organization) is None

    def test_is_said_of_a_reload_that_is_off(self, organization):
        make_reload(organization, is_enabled=False, state="suspended", reason="declined")
        assert shown(organization) is None


class TestTheSetUp:
    def test_is_named_where_there_is_no_key(self, organization, settings):
        settings.STRIPE_SECRET_KEY = ""
        assert shown(organization).place == Place.NOT_CONFIGURED
        assert shown(organization, LOOKS) is None
        assert shown(organization, section="billing") is None  # its pages say it themselves

    def test_is_named_in_test_mode(self, organization, settings):
        settings.STRIPE_LIVE_MODE = False
        assert shown(organization, LOOKS).place == Place.TEST_MODE
        assert shown(organization, OWN) is None
        assert shown(organization, section="billing") is None


class TestThePage:
    @pytest.fixture
    def client(self, organization):
        return signed_in(make_member(organization, "owner"))

    def test_shows_one_and_lets_it_be_dismissed(self, organization, client):
        credits_expire(organization)
        trial_ends(organization)
        here = reverse("credits:lots", args=[organization.slug])
        page = client.get(here).content.decode()
        assert page.count("data-banner") == 1
        assert "The trial of Pro ends on" in page

        key = shown(organization).dismissed_as
        form = {"key": key, "next": here}
        answer = client.post(f"/o/{organization.slug}/banners/dismiss/", form)

        assert (answer.status_code, answer["Location"]) == (302, here)
        page = client.get(here).content.decode()
        assert "The trial of Pro ends on" not in page
        assert "credits expire on" in page
        # In another session, and once the facts are others, it is there again.
        other = signed_in(make_member(organization, "owner"))
        assert "The trial of Pro ends on" in other.get(here).content.decode()
        later = database_now() + timedelta(days=1)
        OrganizationSubscription.objects.update(trial_end=later)
        assert "The trial of Pro ends on" in client.get(here).content.decode()

    def test_shows_what_cannot_be_dismissed_whatever_is_sent(self, organization, client):
        spend_all(organization)
        client.post(f"/o/{organization.slug}/banners/dismiss/", {"key": "", "next": "/"})
        client.post(f"/o/{organization.slug}/banners/dismiss/", {"key": "3", "next": "/"})
        page = client.get(reverse("credits:lots", args=[organization.slug])).content.decode()
        assert "No credits are left" in page
        assert "Dismiss" not in page

    @pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test/", ""])
    def test_leads_nowhere_else(self, organization, client, elsewhere):
        form = {"key": "test_mode", "next": elsewhere}
        answer = client.post(f"/o/{organization.slug}/banners/dismiss/", form)
        assert answer["Location"] == f"/o/{organization.slug}/start/"

    def test_of_another_organization_says_nothing(self, organization, client):
        spend_all(make_organization())
        page = client.get(reverse("credits:lots", args=[organization.slug])).content.decode()
        assert "data-banner" not in page

    def test_asks_as_often_however_many_rows_there_are(self, organization, client):
        make_reload(organization)
        past_due(organization)
        self.queries(client, organization)  # the first visit writes down that he was here
        counts = [self.queries(client, organization)]
        for number in range(5):
            action_required(organization)
            grant(organization, number, lives=timedelta(days=1 + number))
        counts.append(self.queries(client, organization))
        assert counts[0] == counts[1]

    def queries(self, client, organization):
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/o/{organization.slug}/billing/payment-methods/").status_code == 200
        return len(asked)

    def test_that_shows_no_frame_asks_nothing_of_it(self, organization, client):
        """A part of a page is drawn without the banner, and so without its queries."""
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/o/{organization.slug}/billing/payments/none/status/")
        assert not [one for one in asked if "billing_autoreload" in one["sql"]]


def test_another_app_adds_its_own(organization, monkeypatch):
    monkeypatch.setattr("apps.core.banners._sources", [banners_of])

    def mine(viewer):
        yield Banner(Place.OUT_OF_CREDITS, "error", f"Seen by {len(viewer.permissions)}")

    register(mine)
    register(mine)  # twice is once
    credits_expire(organization)
    assert shown(organization).text == f"Seen by {len(ALL)}"

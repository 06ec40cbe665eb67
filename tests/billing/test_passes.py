"""Passes: bought once, they begin, are lengthened, end, and go back with their money."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.billing.errors import (
    AlreadySubscribed,
    BillingNotConfigured,
    ChangeNotPossible,
    PlanNotOffered,
    PlanTimeRefused,
    PriceChanged,
)
from apps.billing.models import OrganizationSubscription, Payment, PlanTime, PlanVersion
from apps.billing.selectors import subscriptions as reading
from apps.billing.selectors.plan_times import preview_pass
from apps.billing.services import checkout, payments, refunds, reversals
from apps.billing.services.subscriptions import changing, plan_times
from apps.core.clock import moved_to
from apps.credits.models import Lot, Wallet
from apps.credits.services.charges import charge_amount
from apps.tenants.models import AuditLog
from tests.billing.buying import again as payment_again
from tests.billing.buying import grants, press
from tests.billing.passing import WEEK, begin, buy, make_pass, open_page, pay
from tests.billing.subscribing import START, again, make_plan
from tests.billing.test_subscription_life import life, movable
from tests.races.racing import at_once

__all__ = ["life", "movable"]  # fixtures
pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _no_trial(settings):
    settings.TRIAL_CREDITS = 0


@pytest.fixture
def week():
    return make_pass(features={"unlimited_operations": ["image.restyle"]})


@pytest.fixture
def free(stripe):
    return make_plan(stripe, price=0, included_credits=20, rollover_cap=0, max_users=1)


def present(life):
    return reading.present_of(life.organization)


def sweep(life, moment=None):
    life.now = moment or life.now
    with life.here():
        return plan_times.sweep()


def lots(life):
    """Return when each pass's credits expire, and how many there are and were."""
    rows = Lot.objects.filter(organization=life.organization, kind="purchase").order_by("id")
    return list(rows.values_list("expires_at", "granted", "remaining"))


class TestBuying:
    def test_begins_it_and_gives_its_credits_until_its_end(self, life, week):
        payment = open_page(life, week)
        assert (payment.purpose, payment.status, payment.amount) == ("pass", "open", 900)
        assert present(life) is None

        pay(life, payment)

        row = present(life)
        assert (row.status, row.is_limited, row.version) == ("active", True, week)
        assert (row.current_period_start, row.current_period_end) == (START, START + WEEK)
        assert lots(life) == [(START + WEEK, 150, 150)]
        assert grants(life.organization).get().reference == payment_again(payment).reference
        life.organization.refresh_from_db()
        assert life.organization.max_users == 3
        assert AuditLog.objects.get(action="subscription.time").after["days"] == 7

    def test_is_paid_once_and_posted_as_it_was_shown(self, life, week, stripe):
        with life.here():
            shown = preview_pass(life.organization, week)
        payment = buy(life, week)

        session = stripe.v1.checkout.sessions.retrieve(payment.stripe_session_id)
        assert (session.mode, session.amount_total) == ("payment", shown.version.price)
        row = present(life)
        assert (row.current_period_start, row.current_period_end, row.next_version) == (
            shown.span.begins_at,
            shown.span.ends_at,
            shown.span.then,
        )
        assert lots(life) == [(shown.span.ends_at, shown.credits, shown.credits)]

    def test_twice_told_and_looked_at_by_many_begins_once(self, life, week, stripe):
        payment = open_page(life, week)
        press(payment)

        def look():
            with life.here():
                checkout.look(payment)

        at_once([look] * 4)
        life.tell()
        stripe.told = 0
        life.tell()

        assert PlanTime.objects.count() == 1
        assert present(life).current_period_end == START + WEEK
        assert [one[1:] for one in lots(life)] == [(150, 150)]

    def test_whose_grant_is_missing_is_repaired_with_the_same_terms(self, life, week):
        """Reconciliation grants again: it is the same entry, whatever came after it."""
        first = buy(life, week)
        buy(life, week)
        with life.here(), transaction.atomic():
            payments.grant_again(payment=first)
        assert [one[1:] for one in lots(life)] == [(150, 150), (150, 150)]

    def test_without_credits_grants_none(self, life):
        buy(life, make_pass(included_credits=0))
        assert present(life).is_limited
        assert lots(life) == []

    def test_that_nobody_pays_changes_nothing(self, life, week, free):
        kept = life.begin(free)
        payment = open_page(life, week)
        life.stripe.v1.checkout.sessions.expire(payment.stripe_session_id)
        life.tell()
        assert payment_again(payment).status == "cancelled"
        assert present(life) == kept
        assert PlanTime.objects.count() == 0

    def test_is_resumed_after_a_crash(self, life, week):
        """The payment is written down, and whoever did it is gone."""
        payment = begin(life.organization, week)
        Payment.objects.update(created_at=payment.created_at - timedelta(minutes=2))
        assert checkout.sweep() == 1
        assert payment_again(payment).status == "open"


class TestARefusal:
    def test_of_what_is_no_pass_or_not_offered(self, life, week, stripe):
        for version in (make_plan(stripe), make_plan(stripe, price=0)):
            with pytest.raises(PlanNotOffered):
                begin(life.organization, version)
        week.plan.is_active = False
        week.plan.save()
        with pytest.raises(PlanNotOffered):
            begin(life.organization, week)

    def test_of_another_price_or_version_than_was_shown(self, life, week):
        with pytest.raises(PriceChanged):
            begin(life.organization, week, amount=800)
        PlanVersion.objects.create(
            plan=week.plan, number=2, price=950, currency="eur", interval="pass", interval_count=7
        )
        with pytest.raises(PriceChanged):
            begin(life.organization, week)

    def test_without_a_key(self, life, week, settings):
        settings.STRIPE_SECRET_KEY = ""
        with pytest.raises(BillingNotConfigured):
            begin(life.organization, week)
        assert Payment.objects.count() == 0

    def test_beside_a_plan_that_renews(self, life, week, stripe):
        life.subscribe(make_plan(stripe))
        with pytest.raises(PlanTimeRefused) as refusal, life.here():
            begin(life.organization, week)
        assert "renews by itself" in str(refusal.value)

    def test_beside_another_pass_until_that_has_ended(self, life, week):
        buy(life, week)
        other = make_pass(code="pass-30-days", interval_count=30)
        with pytest.raises(PlanTimeRefused) as refusal, life.here():
            begin(life.organization, other)
        assert "runs until 2027-02-07" in str(refusal.value)
        with moved_to(START + WEEK):
            assert begin(life.organization, other).amount == 900

    def test_of_the_plan_that_comes_after_it(self, life, week, free):
        buy(life, week)
        with pytest.raises(AlreadySubscribed):
            life.begin(free)


class TestASecondOne:
    def test_follows_the_first_one(self, life, week):
        buy(life, week)
        life.now = START + DAY
        with life.here():
            shown = preview_pass(life.organization, week)
        buy(life, week)

        row = present(life)
        assert OrganizationSubscription.objects.count() == 1
        assert (shown.span.begins_at, shown.span.ends_at) == (START + WEEK, START + 2 * WEEK)
        assert row.current_period_end == START + 2 * WEEK
        assert [one[0] for one in lots(life)] == [START + WEEK, START + 2 * WEEK]

    def test_paid_at_once_with_another_is_counted_too(self, life, week):
        opened = [open_page(life, week) for _ in range(2)]
        for payment in opened:
            press(payment)

        def look(payment):
            with life.here():
                checkout.look(payment)

        at_once([lambda one=one: look(one) for one in opened])

        assert present(life).current_period_end == START + 2 * WEEK
        assert PlanTime.objects.values("subscription").distinct().count() == 1

    def test_after_its_end_begins_anew(self, life, week):
        """The sweep has not been here yet."""
        first = buy(life, week)
        life.now = START + WEEK
        buy(life, week)
        old = PlanTime.objects.get(payment=first).subscription
        assert old.is_over
        row = present(life)
        assert (row.current_period_start, row.current_period_end) == (life.now, life.now + WEEK)


class TestAnEnd:
    def test_comes_by_itself_and_brings_the_free_plan_back(self, life, week, free):
        kept = life.begin(free)
        buy(life, week)
        assert again(kept).status == "cancelled"
        assert present(life).next_version == free

        end = START + WEEK
        with moved_to(end - MICROSECOND):
            assert reading.unlimited_operations(life.organization) == {"image.restyle"}
        with moved_to(end):
            assert reading.unlimited_operations(life.organization) == set()
        assert sweep(life, end - MICROSECOND) == 0
        assert sweep(life, end) == 1
        assert sweep(life, end) == 0

        row = present(life)
        assert (row.version, row.status, row.is_limited) == (free, "active", False)
        life.organization.refresh_from_db()
        assert life.organization.max_users == 1
        assert OrganizationSubscription.objects.filter(status="expired").count() == 1

    def test_leaves_none_where_there_was_none(self, life, week):
        buy(life, week)
        sweep(life, START + WEEK)
        assert present(life) is None

    def test_leaves_none_where_the_free_plan_is_offered_no_more(self, life, week, free):
        life.begin(free)
        buy(life, week)
        free.plan.is_active = False
        free.plan.save()
        sweep(life, START + WEEK)
        assert present(life) is None

    def test_leaves_none_where_the_organization_is_closed(self, life, week, free):
        """A refund that is heard of then must not fail."""
        life.begin(free)
        buy(life, week)
        Wallet.objects.filter(organization=life.organization).update(closed_at=life.now)
        sweep(life, START + WEEK)
        assert present(life) is None
        Wallet.objects.filter(organization=life.organization).update(closed_at=None)

    def test_cannot_be_asked_for(self, life, week):
        buy(life, week)
        with pytest.raises(ChangeNotPossible), life.here():
            changing.request(organization=life.organization, kind=changing.Kind.CANCEL)

    def test_comes_with_a_plan_that_is_paid(self, life, week, stripe):
        buy(life, week)
        row = life.begin(make_plan(stripe))
        assert present(life).is_limited
        life.press(row)
        life.tell()
        assert present(life) == again(row)
        assert PlanTime.objects.get().subscription.status == "cancelled"


class TestARefund:
    def refund(self, life, payment, amount=None):
        asked = {"payment_intent": payment.stripe_payment_intent_id}
        life.stripe.v1.refunds.create(asked | ({"amount": amount} if amount else {}))
        life.tell()

    def test_of_all_ends_it_and_takes_what_is_unused(self, life, week, free):
        life.begin(free)
        payment = buy(life, week)
        with life.here():
            charge_amount(wallet=life.wallet(), amount=60, reference="job", source="test")
        life.now = START + 2 * DAY
        self.refund(life, payment)

        assert present(life).version == free
        assert PlanTime.objects.get().seconds_taken == 5 * 86_400
        payment = payment_again(payment)
        assert (payment.to_claw_back, payment.clawed_back, lots(life)[0][2]) == (150, 110, 0)

    def test_of_a_part_takes_that_part_of_the_days(self, life, week):
        payment = buy(life, week)
        self.refund(life, payment, 300)
        time = PlanTime.objects.get()
        assert time.seconds_taken == 7 * 86_400 // 3
        assert present(life).current_period_end == START + time.length
        assert payment_again(payment).clawed_back == 50

    def test_of_the_first_brings_the_second_forward(self, life, week):
        first = buy(life, week)
        buy(life, week)
        life.now = START + 3 * DAY
        self.refund(life, first)
        assert present(life).current_period_end == START + 3 * DAY + WEEK

    def test_after_its_end_takes_no_time(self, life, week):
        payment = buy(life, week)
        sweep(life, START + WEEK)
        self.refund(life, payment)
        assert PlanTime.objects.get().seconds_taken == 0

    def test_of_one_that_made_way_leaves_the_plan_that_came(self, life, week, free, stripe):
        life.begin(free)
        payment = buy(life, week)
        row = life.subscribe(make_plan(stripe))
        self.refund(life, payment)
        time = PlanTime.objects.get()
        assert (time.seconds_taken, time.subscription.status) == (0, "cancelled")
        assert present(life) == again(row)

    def test_that_fails_gives_the_days_back(self, life, week):
        """While it runs; what is over stays over."""
        payment = buy(life, week)
        self.refund(life, payment, 300)
        assert present(life).current_period_end < START + WEEK
        told = life.stripe.v1.refunds.list({"payment_intent": payment.stripe_payment_intent_id})
        with life.here(), transaction.atomic():
            refunds.follow(
                payment=reversals.lock_payment(payment.pk),
                told=told.data[0].to_dict() | {"status": "failed"},
            )
        assert present(life).current_period_end == START + WEEK


class TestPaidWhileAnotherPlanIsThere:
    @pytest.fixture
    def row(self, life, week, stripe):
        """Return a subscription that began while the page of a pass was open."""
        payment = open_page(life, week)
        row = life.subscribe(make_plan(stripe))
        pay(life, payment)
        return row

    def test_waits_for_its_end(self, life, week, row):
        assert present(life) == row
        assert PlanTime.objects.get().subscription is None
        assert sweep(life) == 0
        life.stripe.v1.subscriptions.cancel(row.stripe_subscription_id)
        life.tell()

        assert sweep(life, START + 2 * DAY) == 1

        assert present(life).is_limited
        assert present(life).current_period_end == START + 2 * DAY + WEEK
        assert sweep(life) == 0

    def test_waits_until_the_organization_is_open_again(self, life, row):
        life.stripe.v1.subscriptions.cancel(row.stripe_subscription_id)
        life.tell()
        wallet = Wallet.objects.filter(organization=life.organization)
        wallet.update(closed_at=START)
        assert sweep(life) == 0
        wallet.update(closed_at=None)
        assert sweep(life) == 1

    def test_is_shorter_where_a_part_was_refunded_meanwhile(self, life, row):
        TestARefund().refund(life, Payment.objects.get(purpose="pass"), 300)
        life.stripe.v1.subscriptions.cancel(row.stripe_subscription_id)
        life.tell()
        sweep(life)
        time = PlanTime.objects.get()
        assert time.length == 2 * WEEK / 3
        assert present(life).current_period_end == START + time.length

    def test_is_refunded_whole(self, life, row):
        payment = Payment.objects.get(purpose="pass")
        TestARefund().refund(life, payment)
        assert PlanTime.objects.get().length == timedelta()
        life.stripe.v1.subscriptions.cancel(row.stripe_subscription_id)
        life.tell()
        assert sweep(life) == 0
        assert present(life) is None

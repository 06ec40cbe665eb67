"""Automatic reload: each thing that keeps it from charging, and what becomes of an attempt."""

from datetime import UTC, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.billing.errors import StripeUnavailable
from apps.billing.gateway import reloads as gateway
from apps.billing.models import AutoReload, Customer, Payment
from apps.billing.selectors.reloads import Facts, Why, why_not
from apps.billing.services import reload_outcomes, reloads
from apps.tenants.models import AuditLog, Organization
from tests.billing.buying import balance, buy, grants, make_pack, press, set_value
from tests.billing.reloading import (
    agree,
    attempt,
    charges,
    later,
    now_is,
    ready,
    spend,
    today,
    tries,
    with_card,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_broken"),
]
POOR = "pm_card_chargeCustomerFail"
ASKING = "pm_card_authenticationRequired"


def why(organization):
    """Say what keeps it from charging."""
    reload = AutoReload.objects.get(organization=organization)
    return why_not(reload, Facts(Organization.objects.get(pk=organization.pk)))


class TestACharge:
    def test_comes_when_the_balance_is_below_the_threshold(self, stripe, organization):
        reload = ready(stripe, organization)
        before = balance(organization)

        payment = attempt(organization)

        assert payment.status == "succeeded"
        assert (payment.credits, payment.amount, payment.user) == (1000, 2000, None)
        assert balance(organization) == before + 1000
        assert [one.amount for one in charges(stripe)] == [2000]
        stripe.tell()
        assert grants(organization).count() == 1
        reload = now_is(reload)
        assert reload.is_armed
        assert reload.last_attempt_at is not None
        actions = set(AuditLog.objects.values_list("action", flat=True))
        assert {"auto_reload.changed", "auto_reload.attempted", "payment.settled"} <= actions

    def test_closes_the_whole_gap_at_once(self, stripe, organization):
        ready(stripe, organization, threshold=4000)
        payment = attempt(organization)
        gap = 4000 - (balance(organization) - payment.credits)
        assert payment.credits == -(-gap // 1000) * 1000
        assert balance(organization) >= 4000

    def test_fills_up_to_the_amount(self, stripe, organization):
        ready(stripe, organization, mode="up_to", amount=3000)
        attempt(organization)
        assert balance(organization) == 3000

    def test_buys_no_more_than_is_sold_at_once(self, stripe, organization):
        ready(stripe, organization, threshold=1_000_000)
        assert attempt(organization).credits == 100_000

    def test_is_rung_for_after_a_debit_that_leaves_too_little(
        self, stripe, organization, monkeypatch
    ):
        rung = []
        ready(stripe, organization, threshold=balance(organization))
        monkeypatch.setattr(reloads, "enqueue", lambda task, **about: rung.append((task, about)))

        spend(organization)
        assert rung == [("billing.reload_if_low", {"organization_id": str(organization.pk)})]
        AutoReload.objects.update(threshold=1)
        spend(organization)
        AutoReload.objects.update(threshold=500, is_enabled=False)
        spend(organization)
        assert len(rung) == 1

    def test_by_the_sweep_where_the_ring_got_lost(self, stripe, organization, monkeypatch):
        rung = []
        ready(stripe, organization)
        monkeypatch.setattr(reloads, "enqueue", lambda task, **about: rung.append(task))
        reloads.sweep()
        assert rung == ["billing.reload_if_low"]
        AutoReload.objects.update(back_off_until=timezone.now() + timedelta(hours=1))
        reloads.sweep()
        assert len(rung) == 1


# What is done to a reload that would charge, and what it says then.
OBSTACLES = {
    Why.OFF: lambda: AutoReload.objects.update(is_enabled=False),
    Why.SUSPENDED: lambda: AutoReload.objects.update(state="suspended", reason="declined"),
    Why.PAUSED: lambda: AutoReload.objects.update(state="paused", reason="action_required"),
    Why.NO_CARD: lambda: Customer.objects.update(payment_method_id=""),
    Why.NOT_OFFERED: lambda: set_value("billing.custom_price", 0),
    Why.TERMS_CHANGED: lambda: set_value("billing.custom_price", 2001),
    Why.COOLING_DOWN: lambda: AutoReload.objects.update(
        back_off_until=timezone.now() + timedelta(hours=1)
    ),
    Why.TOO_SOON: lambda: AutoReload.objects.update(
        last_attempt_at=timezone.now() - timedelta(seconds=50)
    ),
    Why.NOT_ARMED: lambda: AutoReload.objects.update(
        is_armed=False, last_attempt_at=timezone.now() - timedelta(minutes=9)
    ),
    Why.ENOUGH: lambda: AutoReload.objects.update(threshold=1),
    Why.CAP_REACHED: lambda: AutoReload.objects.update(monthly_cap=1999),
    Why.CLOSED: lambda: Organization.objects.update(is_active=False),
}


def earlier_attempt(organization, **fields):
    """Write down an attempt that is over."""
    return Payment.objects.create(
        **{
            "organization": organization,
            "purpose": "reload",
            "credits": 1000,
            "amount": 2000,
            "currency": "eur",
            "is_live": False,
            "status": "failed",
            "question": {"amount": 2000, "currency": "eur"},
        }
        | fields
    )


class TestNothingIsCharged:
    @pytest.mark.parametrize("obstacle", OBSTACLES)
    def test_where_one_thing_stands_against_it(self, stripe, organization, obstacle):
        ready(stripe, organization)
        assert why(organization) == Why.NOTHING
        OBSTACLES[obstacle]()

        assert why(organization) == obstacle
        assert attempt(organization) is None
        assert not Payment.objects.exists()
        assert tries(stripe) == 0

    @pytest.mark.parametrize("mode", AutoReload.Mode.values)
    def test_where_more_must_be_bought_at_once_than_was_agreed_to(self, stripe, organization, mode):
        ready(stripe, organization, mode=mode)
        set_value("billing.custom_minimum", 1000)
        assert why(organization) == Why.NOTHING
        set_value("billing.custom_minimum", 1001)

        assert why(organization) == Why.TERMS_CHANGED
        assert attempt(organization) is None
        assert tries(stripe) == 0

    def test_where_billing_is_not_configured(self, stripe, organization, settings):
        ready(stripe, organization)
        settings.STRIPE_SECRET_KEY = ""
        assert why(organization) == Why.NOT_CONFIGURED
        assert attempt(organization) is None

    def test_where_an_attempt_is_in_flight(self, stripe, organization):
        ready(stripe, organization)
        earlier_attempt(
            organization, status="processing", created_at=timezone.now() - timedelta(days=40)
        )
        assert why(organization) == Why.CHARGING
        assert attempt(organization) is None

    def test_where_an_attempt_is_in_flight_and_asks_no_more_than_that(
        self, stripe, organization, django_assert_num_queries
    ):
        """Of workers that are rung together each waits for the one before: they must be quick."""
        ready(stripe, organization)
        earlier_attempt(organization, status="unknown")
        # Is it a sandbox (asked where clocks move); settings, moment and attempt, in a transaction.
        with django_assert_num_queries(6):
            assert attempt(organization) is None

    def test_where_credits_are_on_their_way(self, stripe, organization):
        ready(stripe, organization)
        earlier_attempt(organization, purpose="custom", status="processing")
        assert why(organization) == Why.ENOUGH
        assert attempt(organization) is None

    def test_where_two_attempts_were_within_ten_minutes(self, stripe, organization):
        ready(stripe, organization)
        for minutes in (2, 9):
            earlier_attempt(organization, created_at=timezone.now() - timedelta(minutes=minutes))
        assert why(organization) == Why.TOO_MANY
        assert attempt(organization) is None
        later(minutes=2)
        assert why(organization) == Why.NOTHING

    def test_beyond_the_limit_of_the_month(self, stripe, organization):
        # By day, so that what was half an hour ago was in the same month.
        is_day = 6 <= today().astimezone(UTC).hour < 18
        organization.time_zone = "UTC" if is_day else "Etc/GMT+12"
        organization.save()
        ready(stripe, organization, monthly_cap=4500)
        attempt(organization)
        spend(organization, balance(organization) - 10)
        later(minutes=11)
        attempt(organization)
        spend(organization, balance(organization) - 10)
        later(minutes=11)
        assert why(organization) == Why.CAP_REACHED
        assert attempt(organization) is None
        assert [one.amount for one in charges(stripe)] == [2000, 2000]
        later(days=32)
        assert why(organization) == Why.NOTHING

    def test_without_an_agreement_in_the_database_itself(self, stripe, organization):
        reload = ready(stripe, organization)
        with pytest.raises(IntegrityError), transaction.atomic():
            AutoReload.objects.update(consent_text="")
        with pytest.raises(IntegrityError), transaction.atomic():
            AutoReload.objects.update(consecutive_failures=3)
        with pytest.raises(IntegrityError), transaction.atomic():
            AutoReload.objects.update(state="suspended")
        reload.consented_by_id = None
        assert why_not(reload, Facts(organization)) == Why.NO_CONSENT

    def test_for_a_second_attempt_in_flight_in_the_database_itself(self, stripe, organization):
        earlier_attempt(organization, status="unknown")
        with pytest.raises(IntegrityError), transaction.atomic():
            earlier_attempt(organization, status="created")
        Payment.objects.all().delete()


class TestADecline:
    def test_is_tried_three_times_and_then_no_more(self, stripe, organization):
        reload = ready(stripe, organization, POOR)
        pauses = []
        for _ in range(3):
            payment = attempt(organization)
            assert (payment.status, payment.failure_code) == ("failed", "generic_decline")
            back_off = now_is(reload).back_off_until
            if back_off:
                pauses.append(round((back_off - timezone.now()) / timedelta(hours=1)))
            assert attempt(organization) is None
            later(hours=7)
        assert pauses == [1, 6]
        reload = now_is(reload)
        assert (reload.state, reload.reason) == ("suspended", "declined")
        assert reload.consecutive_failures == 3
        for _ in range(5):
            later(days=1)
            assert attempt(organization) is None
        stripe.tell()
        assert now_is(reload).consecutive_failures == 3
        assert tries(stripe) == 3
        assert charges(stripe) == []
        assert grants(organization).count() == 0

    def test_for_good_suspends_at_once(self, stripe, organization):
        reload = ready(stripe, organization)
        payment = earlier_attempt(organization, failure_code="stolen_card")
        with transaction.atomic():
            reload_outcomes.note_move(payment=payment)
        reload = now_is(reload)
        assert (reload.state, reload.reason) == ("suspended", "declined_for_good")
        assert reload.consecutive_failures == 1

    def test_that_says_do_not_honor_suspends_when_it_comes_again(self, stripe, organization):
        reload = ready(stripe, organization)
        for state in ("ready", "suspended"):
            payment = earlier_attempt(organization, failure_code="do_not_honor")
            payment.refresh_from_db()
            with transaction.atomic():
                reload_outcomes.note_move(payment=payment)
            assert now_is(reload).state == state
            later(hours=1)

    def test_of_a_card_that_stripe_does_not_know_suspends_at_once(self, stripe, organization):
        reload = ready(stripe, organization)
        Customer.objects.update(payment_method_id="pm_gone")
        payment = attempt(organization)
        assert (payment.status, payment.failure_code) == ("failed", "refused")
        assert now_is(reload).reason == "refused"

    def test_told_again_by_webhook_counts_once(self, stripe, organization):
        reload = ready(stripe, organization, POOR)
        attempt(organization)
        stripe.tell()
        stripe.told = 0
        stripe.tell()
        assert now_is(reload).consecutive_failures == 1


class TestAConfirmation:
    def test_pauses_until_somebody_paid(self, stripe, organization):
        reload = ready(stripe, organization, ASKING)
        payment = attempt(organization)
        stripe.tell()
        assert payment.status == "failed"
        assert payment.failure_code == "authentication_required"
        reload = now_is(reload)
        assert (reload.state, reload.reason) == ("paused", "action_required")
        later(days=1)
        assert attempt(organization) is None

    def test_that_an_intent_waits_for_ends_the_intent(self, stripe, organization):
        """Stripe does not let one wait off session; if it ever does, nobody pays twice."""
        reload = ready(stripe, organization)
        payment, intent = waiting(stripe, organization)
        assert now_is(reload).state == "paused"

        reloads.sweep()
        payment.refresh_from_db()
        assert payment.status == "cancelled"
        assert stripe.v1.payment_intents.retrieve(intent).status == "canceled"
        assert now_is(reload).state == "paused"

    @pytest.mark.parametrize("is_paid", [False, True])
    def test_of_an_intent_that_is_over_already_is_followed(self, stripe, organization, is_paid):
        """It was paid meanwhile, or an earlier sweep heard nothing after it had cancelled it."""
        ready(stripe, organization)
        payment, intent = waiting(stripe, organization)
        if is_paid:
            stripe.v1.payment_intents.confirm(
                intent, {"payment_method": "pm_card_visa", "return_url": "https://shop.test/"}
            )
        else:
            gateway.cancel_intent(intent)

        reloads.sweep()

        payment.refresh_from_db()
        assert payment.status == ("succeeded" if is_paid else "cancelled")


def waiting(stripe, organization):
    """Return an attempt that waits for the customer at his bank, and its intent's id."""
    customer = Customer.objects.get()
    asking = stripe.v1.payment_methods.attach(ASKING, {"customer": customer.stripe_id})
    payment = earlier_attempt(organization, status="unknown")
    intent = stripe.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "eur",
            "customer": customer.stripe_id,
            "payment_method": asking.id,
            "payment_method_types": ["card"],
            "confirm": True,
            "return_url": "https://shop.test/",
            "metadata": {"coffer_payment": payment.public_id},
        }
    )
    stripe.tell()
    payment.refresh_from_db()
    assert payment.status == "action_required"
    return payment, intent.id


def suspended(stripe, organization):
    """Return a reload that was declined three times."""
    reload = ready(stripe, organization, POOR)
    for _ in range(3):
        attempt(organization)
        later(hours=7)
    assert now_is(reload).state == "suspended"
    return reload


def is_cleared(reload):
    reload = now_is(reload)
    return (reload.state, reload.reason, reload.consecutive_failures) == ("ready", "", 0)


class TestItGoesOn:
    def test_with_another_card(self, stripe, organization):
        reload = suspended(stripe, organization)
        with_card(stripe, organization, "pm_card_mastercard")
        assert is_cleared(reload)
        assert attempt(organization).status == "succeeded"

    def test_not_with_the_same_card_saved_again(self, stripe, organization):
        reload = suspended(stripe, organization)
        with_card(stripe, organization, POOR)
        assert not is_cleared(reload)

    def test_not_without_a_card(self, stripe, organization):
        reload = suspended(stripe, organization)
        stripe.v1.payment_methods.detach(Customer.objects.get().payment_method_id)
        stripe.tell()
        assert Customer.objects.get().payment_method_id == ""
        assert not is_cleared(reload)

    def test_after_a_top_up_that_was_paid(self, stripe, organization):
        reload = suspended(stripe, organization)
        payment = buy(organization, make_pack())
        assert not is_cleared(reload)
        press(payment)
        stripe.tell()
        assert is_cleared(reload)

    def test_because_somebody_said_so(self, stripe, organization):
        reload = suspended(stripe, organization)
        with transaction.atomic():
            reload_outcomes.resume(organization=organization)
        assert is_cleared(reload)
        later(minutes=11)
        assert attempt(organization).status == "failed"
        assert tries(stripe) == 4
        rows = AuditLog.objects.filter(action="auto_reload.resumed")
        assert rows.get().after["because"] == "request"


class TestALostAnswer:
    @pytest.mark.parametrize("is_done", [False, True])
    def test_is_asked_again_with_the_same_key(self, stripe, organization, monkeypatch, is_done):
        ready(stripe, organization)
        real = gateway.charge_saved_card

        def lose(**asked):
            if is_done:
                real(**asked)
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "charge_saved_card", lose)
        payment = attempt(organization)
        assert payment.status == "unknown"
        monkeypatch.undo()
        later(minutes=2)
        assert attempt(organization) is None

        reloads.sweep()
        payment.refresh_from_db()
        assert payment.status == "succeeded"
        stripe.tell()
        assert len(charges(stripe)) == 1
        assert grants(organization).count() == 1

    @pytest.mark.parametrize("is_done", [False, True])
    def test_after_stripe_forgot_the_key_is_looked_for(
        self, stripe, organization, monkeypatch, is_done
    ):
        ready(stripe, organization)
        real = gateway.charge_saved_card

        def lose(**asked):
            if is_done:
                real(**asked)
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "charge_saved_card", lose)
        payment = attempt(organization)
        later(hours=24)
        reloads.sweep()  # nothing is charged any more: the gateway would still lose it
        payment.refresh_from_db()
        assert payment.status == ("succeeded" if is_done else "cancelled")
        assert len(charges(stripe)) == is_done

    def test_that_the_webhook_brings_is_not_asked_for(self, stripe, organization, monkeypatch):
        ready(stripe, organization)
        real = gateway.charge_saved_card

        def lose(**asked):
            real(**asked)
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "charge_saved_card", lose)
        payment = attempt(organization)
        stripe.tell()
        payment.refresh_from_db()
        assert payment.status == "succeeded"
        assert grants(organization).count() == 1


class Killed(BaseException):
    """The process ends here."""


class TestACrash:
    @pytest.mark.parametrize(
        ("step", "is_done"),
        [("charge", False), ("_ask", False), ("_ask", True), ("follow", False), ("follow", True)],
    )
    def test_is_taken_up_by_the_sweep(self, stripe, organization, monkeypatch, step, is_done):
        ready(stripe, organization)
        real = getattr(reloads, step)

        def die(*args):
            if is_done:
                real(*args)
            raise Killed

        monkeypatch.setattr(reloads, step, die)
        with pytest.raises(Killed):
            attempt(organization)
        monkeypatch.undo()
        later(minutes=2)
        reloads.sweep()

        assert Payment.objects.get().status == "succeeded"
        assert len(charges(stripe)) == 1
        assert grants(organization).count() == 1

    def test_before_stripe_was_asked_is_over_after_an_hour(self, stripe, organization, monkeypatch):
        ready(stripe, organization)
        monkeypatch.setattr(reloads, "charge", lambda payment: payment)
        attempt(organization)
        monkeypatch.undo()
        later(minutes=61)
        reloads.sweep()
        assert Payment.objects.get().status == "cancelled"
        assert attempt(organization).status == "succeeded"


class TestAgreeing:
    def test_keeps_the_words_and_who_said_yes(self, stripe, organization):
        reload = ready(stripe, organization, monthly_cap=10_000)
        assert reload.consent_text == (
            "When the balance falls below 500 credits, we charge Visa •••• 4242 €20.00 for "
            "each 1,000 credits that it takes to reach 500 again, at most €100.00 a month. "
            "1,000 credits cost €20.00."
        )
        assert reload.consented_by is not None
        assert reload.consented_at is not None

    def test_twice_changes_nothing(self, stripe, organization):
        reload = ready(stripe, organization)
        again = agree(organization, has_agreed=False)
        assert again.consented_at == now_is(reload).consented_at
        assert AuditLog.objects.filter(action="auto_reload.changed").count() == 1

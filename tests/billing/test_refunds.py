"""Refunds: asked for once, followed wherever they go, and the unused credits with them."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.billing.errors import (
    PaymentDisputed,
    PaymentNotRefundable,
    PaymentRefunded,
    RefundDiffers,
    RefundTooLarge,
    StripeRefused,
    StripeUnavailable,
)
from apps.billing.gateway import refunds as gateway
from apps.billing.models import Payment, Refund, WebhookEvent
from apps.billing.services import inbox, refunds, reversals
from apps.billing.services.refund_requests import (
    preview_refund,
    request_refund,
    resume_refunds,
)
from apps.billing.services.sweeping import PATIENCE
from apps.core import ids
from apps.core.clock import moved_to
from apps.core.errors import DomainError
from apps.credits.models import CreditTransaction, Hold
from apps.credits.services.holds import hold_amount, release_hold
from apps.tenants.models import AuditLog
from tests.billing.refunding import buy, let_banks_decide, settle
from tests.people import make_person
from tests.races.racing import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_broken", "no_trial"),
]


@pytest.fixture
def clerk():
    return make_person(email="clerk@example.com")


@pytest.fixture
def purchase(stripe):
    return buy(stripe)


def ask(purchase, clerk, amount=None, refund_id=None, **changes):
    terms = {"reason": Refund.Reason.REQUESTED_BY_CUSTOMER, "note": "Asked by mail", **changes}
    return request_refund(
        payment=purchase.payment,
        refund_id=refund_id or ids.new_id(),
        amount=amount,
        user=clerk,
        **terms,
    )


def at_stripe(purchase):
    return purchase.stripe.v1.refunds.list({"payment_intent": purchase.intent}).data


class TestARequest:
    def test_gives_all_of_the_money_back_and_takes_the_credits(self, purchase, clerk):
        refund = ask(purchase, clerk)

        assert (refund.status, refund.amount, refund.credits) == ("succeeded", 2000, 500)
        assert purchase.status() == (2000, 500, 500, 0, False, False)
        (there,) = at_stripe(purchase)
        assert (there.id, there.reason) == (refund.stripe_refund_id, "requested_by_customer")
        assert there.metadata["coffer_refund"] == refund.public_id
        row = CreditTransaction.objects.get(transaction_type="clawed_back")
        assert (row.reference, row.source) == (f"refund:{there.id}:1", "refund")
        actions = AuditLog.objects.filter(object_id=refund.public_id).order_by("id")
        assert [row.action for row in actions] == ["refund.requested", "refund.succeeded"]

    def test_of_a_part_takes_as_much_of_the_credits_rounded_for_the_customer(self, stripe, clerk):
        purchase = buy(stripe, amount=1000, credits=7)

        taken = []
        for amount in (333, 333, 334):
            ask(purchase, clerk, amount)
            purchase.payment.refresh_from_db()
            taken.append(purchase.payment.clawed_back)

        # Of 2.331, of 4.662, and all of it. Which refund took which is Stripe's order, and
        # these three were told in one second.
        assert taken == [2, 4, 7]
        assert sum(purchase.payment.refunds.values_list("credits", flat=True)) == 7

    def test_leaves_used_credits_used_and_makes_no_debt(self, purchase, clerk):
        purchase.spend(400, "job:1")

        refund = ask(purchase, clerk)

        assert refund.credits == 100
        assert purchase.status() == (2000, 500, 100, 0, False, False)
        assert purchase.wallet.balance == 0

    def test_is_followed_by_webhooks_that_change_nothing(self, purchase, clerk):
        ask(purchase, clerk, 500)
        before = purchase.status()
        for event in purchase.stripe.tell() * 2:
            inbox.receive(event, source="webhook")
        settle()

        assert purchase.status() == before
        assert Refund.objects.count() == 1

    def test_sent_twice_is_one_refund(self, purchase, clerk):
        refund_id = ids.new_id()
        first = ask(purchase, clerk, 500, refund_id)

        assert ask(purchase, clerk, 500, refund_id) == first
        with pytest.raises(RefundDiffers):
            ask(purchase, clerk, 501, refund_id)
        with pytest.raises(RefundDiffers):
            ask(purchase, clerk, 500, refund_id, note="Another")
        assert len(at_stripe(purchase)) == 1

    def test_is_refused_beyond_what_is_left(self, purchase, clerk):
        ask(purchase, clerk, 1500)
        for amount in (501, 0, -1):
            with pytest.raises(RefundTooLarge) as refusal:
                ask(purchase, clerk, amount)
            assert refusal.value.details["left"] == 500
        ask(purchase, clerk, 500)
        with pytest.raises(PaymentRefunded):
            ask(purchase, clerk)

    def test_knows_what_was_refunded_at_stripe_before_stripe_told(self, purchase, clerk):
        purchase.refund_at_stripe(1500)

        with pytest.raises(RefundTooLarge):
            ask(purchase, clerk, 501)
        assert not Refund.objects.exists()

    def test_is_refused_for_what_was_not_paid(self, stripe, clerk):
        purchase = buy(stripe, tells=False)

        with pytest.raises(PaymentNotRefundable):
            ask(purchase, clerk)

    def test_is_refused_while_the_bank_has_the_money(self, stripe, clerk):
        purchase = buy(stripe, card="pm_card_createDispute")

        with pytest.raises(PaymentDisputed):
            ask(purchase, clerk)
        assert not Refund.objects.exists()

    def test_that_stripe_refuses_has_failed_and_takes_nothing(self, purchase, clerk, monkeypatch):
        def refuse(**asked):
            raise StripeRefused(reason="No.")

        monkeypatch.setattr(gateway, "create_refund", refuse)
        with pytest.raises(StripeRefused):
            ask(purchase, clerk)

        refund = Refund.objects.get()
        assert (refund.status, refund.failure_reason) == ("failed", "Stripe refused this: No.")
        assert purchase.status() == (0, 0, 0, 500, False, False)
        monkeypatch.undo()
        assert ask(purchase, clerk).status == "succeeded"

    def test_must_not_run_in_a_transaction(self, purchase, clerk):
        with pytest.raises(RuntimeError), transaction.atomic():
            ask(purchase, clerk)


class TestAPreview:
    def test_says_what_the_refund_then_does(self, purchase, clerk):
        purchase.spend(400, "job:1")
        shown = preview_refund(payment=purchase.payment, amount=1000)

        assert (shown.left, shown.credits_back, shown.credits_used) == (2000, 100, 150)
        assert purchase.status() == (0, 0, 0, 100, False, False)
        assert ask(purchase, clerk, 1000).credits == shown.credits_back

    def test_of_all_that_is_left(self, purchase, clerk):
        ask(purchase, clerk, 500)
        shown = preview_refund(payment=purchase.payment)

        assert (shown.amount, shown.credits_back, shown.credits_used) == (1500, 375, 0)


class TestALostAnswer:
    """Stripe did it, and its answer never came."""

    @pytest.fixture
    def lost(self, purchase, clerk, monkeypatch):
        create = gateway.create_refund
        keys = []

        def losing(**asked):
            keys.append(asked["key"])
            create(**asked)
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "create_refund", losing)
        refund_id = ids.new_id()
        with pytest.raises(StripeUnavailable):
            ask(purchase, clerk, 500, refund_id)
        monkeypatch.undo()
        assert Refund.objects.get().status == "requested"
        assert purchase.status() == (0, 0, 0, 500, False, False)
        return Refund.objects.get()

    def test_is_asked_for_again_with_the_same_key(self, purchase, clerk, lost):
        again = ask(purchase, clerk, 500, lost.pk)

        assert (again.status, again.credits) == ("succeeded", 125)
        assert len(at_stripe(purchase)) == 1

    def test_is_found_when_it_is_asked_for_though_the_key_is_forgotten(
        self, purchase, clerk, lost, monkeypatch
    ):
        """After a day Stripe would refund a part of the payment once more."""
        monkeypatch.setattr(gateway, "create_refund", None)

        assert ask(purchase, clerk, 500, lost.pk).status == "succeeded"
        assert len(at_stripe(purchase)) == 1

    def test_is_found_by_the_sweep_though_the_key_is_forgotten(self, purchase, lost, monkeypatch):
        assert resume_refunds() == 0  # it may still be under way
        Refund.objects.update(created_at=timezone.now() - 2 * PATIENCE)
        monkeypatch.setattr(gateway, "create_refund", None)

        assert resume_refunds() == 1
        assert purchase.status() == (500, 125, 125, 375, False, False)

    def test_comes_by_webhook(self, purchase, lost):
        purchase.stripe.tell()
        settle()

        lost.refresh_from_db()
        assert (lost.status, lost.credits) == ("succeeded", 125)
        assert Refund.objects.count() == 1

    def test_reserves_its_amount_meanwhile(self, purchase, clerk, lost):
        with pytest.raises(RefundTooLarge):
            ask(purchase, clerk, 1501)

    def test_of_a_question_that_never_came_is_asked_by_the_sweep(
        self, purchase, clerk, monkeypatch
    ):
        def away(**asked):
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "create_refund", away)
        with pytest.raises(StripeUnavailable):
            ask(purchase, clerk, 500)
        Refund.objects.update(created_at=timezone.now() - 2 * PATIENCE)
        assert resume_refunds() == 1
        assert Refund.objects.get().status == "requested"
        monkeypatch.undo()
        resume_refunds()

        assert Refund.objects.get().status == "succeeded"
        assert len(at_stripe(purchase)) == 1


class TestARefundMadeAtStripe:
    def test_gets_a_row_and_takes_credits(self, purchase):
        id_ = purchase.refund_at_stripe(500)
        purchase.stripe.tell()
        settle()

        refund = Refund.objects.get()
        assert (refund.stripe_refund_id, refund.requested_by, refund.credits) == (id_, None, 125)

    @pytest.mark.parametrize("type_", ["charge.refunded", "refund.created"])
    def test_is_known_by_each_of_its_events_alone(self, purchase, type_):
        purchase.refund_at_stripe(500)
        purchase.refund_at_stripe(500)
        purchase.stripe.tell(type_)
        settle()

        assert purchase.status() == (1000, 250, 250, 250, False, False)

    def test_before_the_payment_is_known_to_be_paid_waits_for_it(self, stripe):
        purchase = buy(stripe, tells=False)
        purchase.refund_at_stripe(500)
        events = stripe.news()
        for event in reversed(events):
            inbox.receive(event, source="webhook")
        settle()

        assert purchase.status() == (500, 125, 125, 375, False, False)

    def test_of_a_payment_whose_credits_are_not_granted_yet_waits_for_them(self, stripe):
        purchase = buy(stripe, tells=False)
        Payment.objects.update(stripe_payment_intent_id=purchase.intent, status="processing")
        purchase.refund_at_stripe(500)
        stripe.tell("refund.created")

        assert not Refund.objects.exists()
        stripe.told = 0
        stripe.tell("payment_intent.succeeded")
        settle()
        assert purchase.status() == (500, 125, 125, 375, False, False)

    def test_of_somebody_else_is_ignored_in_the_end(self, stripe):
        purchase = buy(stripe)
        Payment.objects.update(stripe_payment_intent_id="pi_other")
        purchase.refund_at_stripe(500)
        stripe.tell("refund.created")
        for _ in range(inbox.MOST_ATTEMPTS):
            WebhookEvent.objects.filter(status="pending").update(due_at=timezone.now())
            for subject in inbox.due_subjects():
                inbox.process(subject)
        Payment.objects.update(stripe_payment_intent_id=purchase.intent)

        assert WebhookEvent.objects.get(type="refund.created").status == "ignored"
        assert not Refund.objects.exists()

    def test_in_another_currency_takes_nothing(self, purchase):
        told = {"id": "re_x", "currency": "usd", "status": "succeeded", "amount": 500}
        with pytest.raises(DomainError) as refusal, transaction.atomic():
            refunds.follow(payment=reversals.lock_payment(purchase.payment.pk), told=told)
        assert refusal.value.code == "payment_differs"


class TestAFailedRefund:
    def test_gives_the_credits_back(self, stripe, clerk):
        purchase = buy(stripe, card="pm_card_refundFail")
        refund = ask(purchase, clerk, 500)
        assert (refund.status, refund.credits) == ("succeeded", 125)
        let_banks_decide(stripe)
        stripe.tell()
        settle()

        refund.refresh_from_db()
        assert (refund.status, refund.credits) == ("failed", 0)
        assert refund.failure_reason == "expired_or_canceled_card"
        assert purchase.status() == (0, 0, 0, 500, False, False)
        assert purchase.clawed_back() == 0

    def test_that_is_late_news_stays_failed(self, stripe, clerk):
        """A worker that asked before the bank decided writes after it."""
        purchase = buy(stripe, card="pm_card_refundFail")
        refund = ask(purchase, clerk, 500)
        old = {**stripe.news()[-1]["data"]["object"], "status": "succeeded"}
        let_banks_decide(stripe)
        stripe.tell()
        settle()
        assert old["id"] == refund.stripe_refund_id

        with transaction.atomic():
            refunds.follow(payment=reversals.lock_payment(purchase.payment.pk), told=old)

        assert purchase.status() == (0, 0, 0, 500, False, False)

    def test_makes_room_for_another(self, stripe, clerk):
        purchase = buy(stripe, card="pm_card_refundFail")
        ask(purchase, clerk)
        let_banks_decide(stripe)
        stripe.tell()
        settle()

        assert ask(purchase, clerk).credits == 500

    def test_of_two_moves_the_credits_to_the_other(self, stripe, clerk):
        """What was taken for the one that failed is due for the one that did not."""
        purchase = buy(stripe, card="pm_card_refundFail")
        purchase.spend(250, "job:1")
        first = ask(purchase, clerk, 1000)
        let_banks_decide(stripe)
        second = ask(purchase, clerk, 1000)
        stripe.tell()
        settle()

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.credits, second.credits) == (0, 250)
        assert purchase.status() == (1000, 250, 250, 0, False, False)

    def test_of_a_pending_one_that_succeeds_changes_nothing(self, stripe, clerk):
        purchase = buy(stripe, card="pm_card_pendingRefund")
        refund = ask(purchase, clerk, 500)
        assert (refund.status, refund.credits) == ("pending", 125)
        let_banks_decide(stripe)
        stripe.tell()
        settle()

        refund.refresh_from_db()
        assert (refund.status, refund.credits) == ("succeeded", 125)


class TestWhatComesBackLater:
    def test_is_taken_then(self, purchase, clerk):
        hold_amount(wallet=purchase.wallet, amount=400, reference="h", source="test")
        assert ask(purchase, clerk).credits == 100
        assert reversals.take_what_came_back() == 0
        release_hold(hold=Hold.objects.get(), source="test")

        assert reversals.take_what_came_back() == 1
        assert purchase.status() == (2000, 500, 500, 0, False, False)
        assert Refund.objects.get().credits == 500
        assert reversals.take_what_came_back() == 0

    def test_by_a_failure_after_the_end_of_the_lot_is_taken_too(self, stripe, clerk):
        purchase = buy(stripe, valid_days=1)
        purchase.spend(100, "job:1")
        with moved_to(purchase.lot.expires_at):
            assert ask(purchase, clerk).credits == 0
            purchase.fail("job:1")
            assert purchase.wallet.balance == 100

            assert reversals.take_what_came_back() == 1

        assert purchase.wallet.balance == 0
        assert purchase.now().clawed_back == Refund.objects.get().credits == 100
        assert reversals.take_what_came_back() == 0

    def test_of_credits_with_another_date_is_taken_at_once(self, purchase, clerk):
        purchase.spend(100, "job:1")
        purchase.redate(purchase.lot, timezone.now() + timedelta(days=1), "longer")

        shown = preview_refund(payment=purchase.payment)
        assert (shown.credits_back, shown.credits_used) == (400, 100)
        assert ask(purchase, clerk).credits == 400
        assert purchase.wallet.balance == 0


class TestRaces:
    def test_many_requests_for_all_of_it_are_one_at_stripe(self, purchase, clerk):
        def work():
            try:
                return ask(purchase, clerk).pk
            except (PaymentRefunded, RefundTooLarge, StripeUnavailable):
                return None

        done = {one for one in at_once([work] * 32) if one}

        assert len(done) == 1
        assert [there.amount for there in at_stripe(purchase)] == [2000]
        assert Refund.objects.count() == 1
        assert purchase.status() == (2000, 500, 500, 0, False, False)

    def test_one_form_sent_many_times_is_one_at_stripe(self, purchase, clerk):
        refund_id = ids.new_id()

        def work():
            try:
                ask(purchase, clerk, 500, refund_id)
            except StripeUnavailable:  # the same key is in use
                return

        at_once([work] * 8)

        assert [there.amount for there in at_stripe(purchase)] == [500]
        ask(purchase, clerk, 500, refund_id)
        assert purchase.status() == (500, 125, 125, 375, False, False)

    def test_the_webhook_beside_the_answer_takes_once(self, purchase, clerk):
        told = gateway.create_refund(
            key="k", payment_intent=purchase.intent, amount=500, reason="", organization="o"
        )

        def answer():
            with transaction.atomic():
                refunds.follow(payment=reversals.lock_payment(purchase.payment.pk), told=told)

        events = purchase.stripe.news()
        for event in events:
            inbox.receive(event, source="webhook")
        at_once([answer, answer, settle, settle])
        settle()

        assert purchase.status() == (500, 125, 125, 375, False, False)
        assert Refund.objects.count() == 1

    def test_spending_beside_it_never_goes_below_nothing(self, purchase, clerk):
        def spend(number):
            try:
                purchase.spend(100, f"job:{number}")
            except DomainError:
                return 0
            return 100

        spent = at_once(
            [lambda: ask(purchase, clerk) and 0] + [lambda n=n: spend(n) for n in range(6)]
        )

        refunded, due, taken, left, *_ = purchase.status()
        assert (refunded, due, left) == (2000, 500, 0)
        assert taken == 500 - sum(spent)

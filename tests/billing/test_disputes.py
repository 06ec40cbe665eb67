"""Disputes: what was bought is frozen, then free again, or its unused part is taken back."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.billing.errors import PaymentDiffers
from apps.billing.models import Dispute
from apps.billing.services import disputes, inbox, reversals
from apps.core.clock import moved_to
from apps.credits.errors import InsufficientCredits
from apps.credits.services.charges import charge_amount, refund_charge
from apps.tenants.models import AuditLog
from tests.billing.refunding import buy, settle
from tests.billing.stripe import handle_everything
from tests.races.racing import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_broken", "no_trial"),
]
OPEN = (0, 0, 0, 500, True, True)


@pytest.fixture
def purchase(stripe):
    return buy(stripe, card="pm_card_createDispute")


@pytest.fixture
def inquiry(stripe):
    return buy(stripe, card="pm_card_createDisputeInquiry")


def tell(purchase):
    purchase.stripe.tell()
    settle()


class TestAnOpenDispute:
    def test_freezes_what_was_bought(self, purchase):
        assert purchase.status() == OPEN
        with pytest.raises(InsufficientCredits):
            purchase.spend(1, "job:1")
        dispute = Dispute.objects.get()
        assert (dispute.status, dispute.amount, dispute.reason) == (
            "needs_response",
            2000,
            "fraudulent",
        )
        assert dispute.evidence_due_at - dispute.opened_at == timedelta(days=9)
        assert dispute.is_open
        assert dispute.outcome == ""
        assert purchase.now().disputed_at == dispute.opened_at

    def test_told_before_its_payment_freezes_as_soon_as_that_is_told(self, stripe):
        purchase = buy(stripe, card="pm_card_createDispute", tells=False)
        events = stripe.news()
        for is_of_dispute in (True, False):
            for event in events:
                if event["type"].startswith("charge.dispute") is is_of_dispute:
                    inbox.receive(event, source="webhook")
            handle_everything()
        assert purchase.status() == OPEN

    def test_leaves_other_credits_alone(self, stripe, purchase):
        other = buy(stripe)

        other.spend(500, "job:1")

    def test_stays_frozen_while_it_is_under_review(self, purchase):
        purchase.answer("We think it was him.")
        tell(purchase)

        assert Dispute.objects.get().status == "under_review"
        assert purchase.status() == OPEN

    def test_is_in_the_audit_log(self, purchase):
        purchase.answer("winning_evidence")
        tell(purchase)

        rows = AuditLog.objects.filter(object_id=Dispute.objects.get().public_id).order_by("id")
        assert [(row.action, row.after["status"]) for row in rows] == [
            ("dispute.opened", "needs_response"),
            ("dispute.changed", "won"),
        ]

    def test_in_another_currency_changes_nothing(self, purchase):
        told = {"id": "dp_x", "currency": "usd", "status": "lost", "amount": 2000}
        with pytest.raises(PaymentDiffers), transaction.atomic():
            disputes.follow(payment=reversals.lock_payment(purchase.payment.pk), told=told)


class TestAWonDispute:
    def test_gives_the_credits_free_again(self, purchase):
        purchase.answer("winning_evidence")
        tell(purchase)

        dispute = Dispute.objects.get()
        assert (dispute.status, dispute.outcome, dispute.is_open) == ("won", "Won", False)
        assert purchase.status() == (0, 0, 0, 500, False, False)
        purchase.spend(500, "job:1")

    def test_is_never_open_again(self, purchase):
        old = purchase.stripe.v1.disputes.retrieve(purchase.dispute()).to_dict()
        purchase.answer("winning_evidence")
        tell(purchase)

        with transaction.atomic():
            disputes.follow(payment=reversals.lock_payment(purchase.payment.pk), told=old)

        assert purchase.status() == (0, 0, 0, 500, False, False)

    def test_after_it_was_lost_gives_the_credits_back(self, purchase):
        """Banks decide anew, rarely."""
        purchase.answer("losing_evidence")
        tell(purchase)
        assert purchase.status() == (0, 500, 500, 0, False, False)
        told = purchase.stripe.v1.disputes.retrieve(purchase.dispute()).to_dict()

        with transaction.atomic():
            disputes.follow(
                payment=reversals.lock_payment(purchase.payment.pk), told={**told, "status": "won"}
            )

        assert purchase.status() == (0, 0, 0, 500, False, False)
        assert Dispute.objects.get().credits == 0


class TestALostDispute:
    def test_takes_the_unused_part(self, stripe):
        purchase = buy(stripe, card="pm_card_createDispute", tells=False)
        stripe.tell("payment_intent.succeeded")
        purchase.spend(200, "job:1")
        purchase.answer("losing_evidence")
        stripe.told = 0
        tell(purchase)

        assert purchase.status() == (0, 500, 300, 0, False, False)
        assert Dispute.objects.get().credits == 300
        assert purchase.wallet.balance == 0

    def test_by_giving_in_is_lost_as_well(self, purchase):
        purchase.stripe.v1.disputes.close(purchase.dispute())
        tell(purchase)

        assert purchase.status() == (0, 500, 500, 0, False, False)

    def test_takes_what_is_given_back_to_the_lot_later(self, stripe):
        purchase = buy(stripe, card="pm_card_createDispute", tells=False)
        stripe.tell("payment_intent.succeeded")
        purchase.spend(200, "job:1")
        stripe.told = 0
        tell(purchase)
        purchase.answer("losing_evidence")
        tell(purchase)
        refund_charge(
            wallet=purchase.wallet, charge_reference="job:1", reference="back:1", source="test"
        )

        reversals.take_what_came_back()

        assert purchase.status() == (0, 500, 500, 0, False, False)

    def test_pays_no_debt_with_what_is_to_be_taken(self, purchase):
        """Thawed first, the lot would repay what was owed while it was frozen."""
        wallet = purchase.wallet
        wallet.__class__.objects.filter(pk=wallet.pk).update(credit_line=100)
        charge_amount(wallet=wallet, amount=100, reference="job:1", source="test")
        purchase.answer("losing_evidence")
        tell(purchase)

        assert purchase.status() == (0, 500, 500, 0, False, False)
        assert purchase.wallet.balance == -100

    def test_won_repays_the_debt_first(self, purchase):
        wallet = purchase.wallet
        wallet.__class__.objects.filter(pk=wallet.pk).update(credit_line=100)
        charge_amount(wallet=wallet, amount=100, reference="job:1", source="test")
        purchase.answer("winning_evidence")
        tell(purchase)

        assert purchase.status() == (0, 0, 0, 400, False, False)

    def test_freezes_and_takes_what_comes_back_after_the_end_of_the_lot(self, stripe):
        purchase = buy(stripe, card="pm_card_createDispute", tells=False, valid_days=1)
        stripe.tell("payment_intent.succeeded")
        purchase.spend(200, "job:1")
        stripe.told = 0
        tell(purchase)
        with moved_to(purchase.lot.expires_at):
            purchase.fail("job:1")
            assert purchase.wallet.balance == 200
            with pytest.raises(InsufficientCredits):
                purchase.spend(1, "job:2")
            purchase.answer("losing_evidence")
            tell(purchase)

        assert purchase.wallet.balance == 0
        assert purchase.now().clawed_back == Dispute.objects.get().credits == 200

    def test_reaches_credits_with_another_date(self, stripe):
        purchase = buy(stripe, card="pm_card_createDispute", tells=False)
        stripe.tell("payment_intent.succeeded")
        purchase.redate(purchase.lot, timezone.now() + timedelta(days=1), "longer")
        stripe.told = 0
        tell(purchase)
        with pytest.raises(InsufficientCredits):
            purchase.spend(1, "job:1")
        purchase.answer("losing_evidence")
        tell(purchase)

        assert purchase.wallet.balance == 0
        assert purchase.now().clawed_back == 500


class TestAnInquiry:
    def test_freezes_nothing_because_the_money_is_here(self, inquiry):
        assert Dispute.objects.get().status == "warning_needs_response"
        assert inquiry.status() == (0, 0, 0, 500, False, False)

    def test_that_is_refunded_in_part_and_lost_takes_no_more_than_was_granted(self, inquiry):
        inquiry.refund_at_stripe(1500)
        tell(inquiry)
        assert inquiry.status() == (1500, 375, 375, 125, False, False)
        inquiry.answer("escalate_inquiry_evidence")
        tell(inquiry)
        assert inquiry.status() == (1500, 375, 375, 125, True, True)
        inquiry.answer("losing_evidence")
        tell(inquiry)

        assert inquiry.status() == (1500, 500, 500, 0, False, False)
        assert Dispute.objects.get().credits == 125

    def test_that_is_answered_ends_as_closed(self, inquiry):
        inquiry.answer("winning_evidence")
        tell(inquiry)

        assert Dispute.objects.get().outcome == "Inquiry: closed"
        assert inquiry.status() == (0, 0, 0, 500, False, False)


class TestTheEvents:
    def test_in_any_order_and_twice_end_where_the_dispute_is(self, stripe):
        purchase = buy(stripe, card="pm_card_createDispute", tells=False)
        purchase.answer("losing_evidence")
        events = [event for event in stripe.news() if "dispute" in event["type"]]
        assert len(events) == 4
        stripe.told = 0
        stripe.tell("payment_intent.succeeded")
        for event in [*events[::-1], *events]:
            inbox.receive(event, source="webhook")
            settle()
            assert purchase.status() == (0, 500, 500, 0, False, False)

    def test_handled_by_many_take_once(self, stripe):
        purchase = buy(stripe, card="pm_card_createDispute", tells=False)
        stripe.tell("payment_intent.succeeded")
        purchase.answer("losing_evidence")
        stripe.told = 0
        for event in stripe.news():
            inbox.receive(event, source="webhook")
        at_once([settle_quietly] * 4)
        settle()

        assert purchase.status() == (0, 500, 500, 0, False, False)
        assert purchase.clawed_back() == 500


def settle_quietly():
    for subject in inbox.due_subjects():
        inbox.process(subject)

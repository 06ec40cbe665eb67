"""Credits that were used before their money went back: forgiven, or owed, as staff have set."""

import pytest
from django.db import transaction

from apps.billing.selectors.refunds import OWE_USED
from apps.billing.services import disputes, refunds, reversals
from apps.billing.services.refund_requests import preview_refund
from apps.core.errors import DomainError
from apps.credits.ledger.commands import Void
from apps.credits.ledger.posting import post_one
from apps.credits.models import CreditTransaction, Lot
from apps.credits.services.charges import refund_charge
from apps.credits.services.grants import grant_credits
from apps.tenants.models import AdminConfig
from tests.billing.buying import text_of
from tests.billing.refunding import buy, settle
from tests.people import make_key, make_member, signed_in, with_key
from tests.races.racing import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("nothing_is_broken", "no_trial"),
]


@pytest.fixture
def purchase(stripe):
    """500 credits for €20.00."""
    return buy(stripe)


def choose(owes):
    AdminConfig.objects.update_or_create(key=OWE_USED.key, defaults={"value": owes})


def refund(purchase, amount=None):
    purchase.refund_at_stripe(amount)
    purchase.stripe.tell()
    settle()


def follow(purchase, told, which=refunds):
    """Let Stripe tell something of a refund or dispute."""
    with transaction.atomic():
        which.follow(payment=reversals.lock_payment(purchase.payment.pk), told=told)


def told_of(purchase, **changes):
    """Return the purchase's one refund as Stripe tells it, with changes."""
    told = purchase.stripe.v1.refunds.list({"payment_intent": purchase.intent}).data[0]
    return told.to_dict() | changes


def give(purchase, amount, reference="gift:1"):
    grant_credits(
        wallet=purchase.wallet,
        amount=amount,
        kind=Lot.Kind.PROMOTIONAL,
        reference=reference,
        source="promotion",
    )


def where(purchase):
    """Return credits taken back, those of them as debt, the balance and what is still owed."""
    payment, wallet = purchase.now(), purchase.wallet
    return payment.clawed_back, payment.clawed_back_as_debt, wallet.balance, wallet.owed_back


class TestForgiven:
    def test_what_was_used_is_nobodys_debt(self, purchase):
        purchase.spend(400, "job:1")
        refund(purchase)
        assert where(purchase) == (100, 0, 0, 0)
        assert not Lot.objects.filter(kind="debt").exists()

    def test_stays_forgiven_when_staff_decide_otherwise_later(self, purchase):
        purchase.spend(400, "job:1")
        refund(purchase, 1000)
        choose(True)
        refund(purchase, 1000)
        follow(purchase, told_of(purchase))
        assert where(purchase) == (100, 0, 0, 0)


class TestOwed:
    @pytest.fixture(autouse=True)
    def _policy(self, no_trial, purchase):
        choose(True)

    def test_the_next_credits_repay_it(self, purchase):
        purchase.spend(400, "job:1")
        refund(purchase)
        assert where(purchase) == (500, 400, -400, 400)
        assert purchase.payment.refunds.get().credits == 500

        give(purchase, 150)
        assert where(purchase) == (500, 400, -250, 250)
        with pytest.raises(DomainError):
            purchase.spend(1, "job:2")
        give(purchase, 300, "gift:2")
        assert where(purchase) == (500, 400, 50, 0)
        purchase.spend(50, "job:3")

    def test_what_is_there_repays_it_at_once(self, purchase):
        purchase.spend(400, "job:1")
        give(purchase, 1000)
        refund(purchase)
        assert where(purchase) == (500, 400, 600, 0)

    def test_is_shown_before_and_after(self, purchase):
        purchase.spend(400, "job:1")
        shown = preview_refund(payment=purchase.now())
        assert (shown.credits_back, shown.credits_owed, shown.credits_used) == (100, 400, 0)
        refund(purchase)
        organization = purchase.payment.organization
        owner = make_member(organization, "owner")
        place = f"/o/{organization.slug}/billing/payments/{purchase.payment.public_id}/"
        text = text_of(signed_in(owner).get(place))
        assert "500 credits were taken back" in text
        assert "400 of them were used already and are owed" in text
        client = with_key(make_key(organization, owner, "billing:read")[1])
        body = client.get(f"/api/v1/payments/{purchase.payment.public_id}").json()
        assert (body["credits_taken_back"], body["credits_taken_back_as_debt"]) == (500, 400)

    def test_leaves_a_credit_line_as_it_is(self, purchase):
        purchase.spend(500, "job:1")
        purchase.wallet.__class__.objects.update(credit_line=30)
        refund(purchase)
        purchase.spend(30, "job:2")
        with pytest.raises(DomainError):
            purchase.spend(1, "job:3")
        assert where(purchase) == (500, 500, -530, 500)

    def test_told_again_changes_nothing(self, purchase):
        purchase.spend(400, "job:1")
        refund(purchase, 1000)
        first = where(purchase)
        assert first == (250, 150, -150, 150)
        purchase.stripe.told = 0
        purchase.stripe.tell()
        settle()
        follow(purchase, told_of(purchase))
        assert where(purchase) == first

    def test_what_was_voided_unused_is_not_owed(self, purchase):
        purchase.spend(100, "job:1")
        lot = purchase.lot
        void = Void(wallet_id=lot.wallet_id, lot_id=lot.pk, reference="void:1", source="test")
        with transaction.atomic():
            post_one(void)
        refund(purchase)
        assert where(purchase) == (100, 100, -100, 100)

    def test_what_left_for_another_date_is_not_taken_for_used(self, purchase):
        purchase.spend(200, "job:1")
        purchase.redate(purchase.lot, None, "longer:1")
        purchase.spend(100, "job:2")
        refund(purchase)
        assert where(purchase) == (500, 300, -300, 300)
        assert purchase.clawed_back() == 200

    def test_what_a_failed_job_gives_back_repays_it(self, purchase):
        purchase.spend(400, "job:1")
        refund(purchase)
        refund_charge(
            wallet=purchase.wallet, charge_reference="job:1", reference="back:1", source="test"
        )
        reversals.take_what_came_back()
        assert where(purchase) == (500, 400, 0, 0)

    def test_a_refund_that_fails_gives_back_exactly(self, purchase):
        purchase.spend(400, "job:1")
        refund(purchase)
        give(purchase, 150)
        follow(purchase, told_of(purchase, status="failed"))
        assert where(purchase) == (0, 0, 250, 0), "100 unused ones, and the 150 that repaid"
        assert purchase.lot.remaining == 100

    def test_a_dispute_that_is_won_in_the_end_gives_back_exactly(self, stripe):
        disputed = buy(stripe, card="pm_card_createDispute")
        told = disputed.stripe.v1.disputes.retrieve(disputed.dispute()).to_dict()
        follow(disputed, told | {"status": "won"}, disputes)
        disputed.spend(400, "job:1")
        for _ in range(2):  # a bank may decide anew, and again
            follow(disputed, told | {"status": "lost"}, disputes)
            assert where(disputed) == (500, 400, -400, 400)
            follow(disputed, told | {"status": "won"}, disputes)
            assert where(disputed) == (0, 0, 100, 0)
        assert disputed.lot.remaining == 100

    def test_a_race_with_charges_owes_what_they_used(self, purchase):
        def spend(number):
            try:
                purchase.spend(100, f"job:{number}")
            except DomainError:
                return 0
            return 100

        purchase.refund_at_stripe()
        told = told_of(purchase)
        spent = at_once(
            [lambda: follow(purchase, told) or 0] + [lambda n=n: spend(n) for n in range(6)]
        )
        assert where(purchase) == (500, sum(spent), -sum(spent), sum(spent))
        used = CreditTransaction.objects.filter(lot=purchase.lot, transaction_type="consumed")
        assert -sum(used.values_list("amount", flat=True)) == sum(spent)

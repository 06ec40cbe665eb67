"""
Every order of refunds, disputes, wins, losses and spending, against Stripe's own books.

The same story is told twice: as it happens, each event once; and afterwards, shuffled and
with repeats. Both must end in one state, with Stripe's money, and never with more credits
taken than were granted.
"""

import random
from contextlib import ExitStack, suppress

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from stripe import StripeError

from apps.billing.models import Dispute, Refund
from apps.billing.services import inbox, reversals
from apps.core.clock import moved_to
from apps.core.errors import DomainError
from apps.core.invariants import all_invariants, verify
from apps.credits.models import CreditTransaction
from tests.billing.refunding import buy, let_banks_decide, settle

pytestmark = pytest.mark.django_db(transaction=True)
CARDS = st.sampled_from(
    [
        "pm_card_visa",
        "pm_card_refundFail",
        "pm_card_pendingRefund",
        "pm_card_createDispute",
        "pm_card_createDisputeInquiry",
    ]
)
WORDS = ["winning_evidence", "losing_evidence", "escalate_inquiry_evidence", "Something else."]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("refund"), st.sampled_from([1, 3, 5, 10])),  # parts of ten
        st.tuples(st.just("answer"), st.sampled_from(WORDS)),
        st.tuples(st.just("decide"), st.none()),
    ),
    max_size=6,
)
PRICES = st.sampled_from([(2000, 500), (1999, 500), (1000, 7), (60, 1000), (999, 1)])
MONEY = [one for one in all_invariants() if one.code.startswith(("B", "L"))]
SLOW = settings(
    max_examples=10,
    derandomize=True,  # the same stories each time: raise max_examples to look for others
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # a shrunk story is not worth minutes of the suite
)


def act(purchase, step):
    """Do it at Stripe, unless Stripe refuses it as things are."""
    what, detail = step
    with suppress(StripeError, IndexError):
        if what == "refund":
            purchase.refund_at_stripe(max(1, purchase.payment.amount * detail // 10))
        elif what == "answer":
            purchase.answer(detail)
        else:
            let_banks_decide(purchase.stripe)


def as_it_happens(stripe, card, price, spent, steps):
    purchase = begin(stripe, card, price, spent)
    for step in steps:
        act(purchase, step)
        stripe.tell()
        settle()
    stripe.tell()
    settle()
    return purchase


def afterwards(stripe, card, price, spent, steps, seed):
    purchase = begin(stripe, card, price, spent)
    stripe.told = 0 if not spent else stripe.told
    for step in steps:
        act(purchase, step)
    events = stripe.news()
    chance = random.Random(seed)
    events += [event for event in events if chance.random() < 0.5]
    chance.shuffle(events)
    for number, event in enumerate(events):
        inbox.receive(event, source="webhook")
        if number % 3 == seed % 3:
            settle_what_can_be()
    settle()
    return purchase


def begin(stripe, card, price, spent, *, valid_days=None):
    """Buy; what is spent, is spent before the first news of a refund or a dispute."""
    amount, credits = price
    terms = {"amount": amount, "credits": credits, "valid_days": valid_days}
    purchase = buy(stripe, card=card, tells=False, **terms)
    if spent:
        stripe.tell("payment_intent.succeeded")
        purchase.spend(max(1, credits * spent // 10), "job:1")
        stripe.told = 0
        purchase.payment.refresh_from_db()
    return purchase


def settle_what_can_be():
    for subject in inbox.due_subjects():
        inbox.process(subject)


def end_of(purchase):
    payment = purchase.now()
    refunds = payment.refunds.values_list("amount", "status")
    disputes = payment.disputes.values_list("amount", "status", "credits")
    return purchase.status(), sorted(refunds), sorted(disputes)


def check_money(purchase):
    """Hold our books against Stripe's."""
    payment, v1 = purchase.now(), purchase.stripe.v1
    charge = v1.charges.retrieve(purchase.charge)
    assert payment.refunded == charge.amount_refunded
    at_stripe = v1.refunds.list({"payment_intent": purchase.intent, "limit": 100}).data
    ours = Refund.objects.filter(payment=payment)
    assert sorted((one.id, one.status, one.amount) for one in at_stripe) == sorted(
        ours.values_list("stripe_refund_id", "status", "amount")
    )
    disputes = v1.disputes.list({"payment_intent": purchase.intent}).data
    assert [(one.id, one.status) for one in disputes] == list(
        Dispute.objects.filter(payment=payment).values_list("stripe_dispute_id", "status")
    )


def check_credits(purchase, *, spent):
    payment, lot = purchase.now(), purchase.lot
    assert 0 <= payment.clawed_back <= payment.to_claw_back <= lot.granted
    assert purchase.clawed_back() == payment.clawed_back
    assert lot.remaining + payment.clawed_back + spent == lot.granted
    assert payment.clawed_back == min(payment.to_claw_back, lot.granted - spent)
    money = payment.refunded
    money += sum(one.amount for one in payment.disputes.all() if one.status == "lost")
    total = payment.amount
    due = lot.granted * min(money, total)
    assert payment.to_claw_back * total <= due < (payment.to_claw_back + 1) * total


@SLOW
@given(CARDS, PRICES, st.sampled_from([0, 0, 3, 8, 10]), STEPS, st.integers(0, 1000))
def test_every_order_ends_in_one_state(stripe, settings, card, price, spent, steps, seed):
    settings.TRIAL_CREDITS = 0
    ends = []
    for tell_it in (as_it_happens, lambda *story: afterwards(*story, seed)):
        stripe.server.world.reset()
        stripe.told = 0
        purchase = tell_it(stripe, card, price, spent, steps)
        check_money(purchase)
        check_credits(purchase, spent=max(1, price[1] * spent // 10) if spent else 0)
        ends.append(end_of(purchase))
    assert ends[0][0] == ends[1][0]
    assert ends[0] == ends[1]
    assert [finding for finding in verify(MONEY) if finding.failures] == []


class Life:
    """What becomes of bought credits while Stripe decides: used, given back, redated, expired."""

    def __init__(self, purchase):
        self.purchase = purchase
        self.used = {}  # credits, by job
        self.clock = ExitStack()

    def spend(self, part, number):
        amount = max(1, self.purchase.payment.credits * part // 10)
        was_frozen = self.purchase.lot.frozen_at is not None
        with suppress(DomainError):
            self.purchase.spend(amount, f"job:{number}")
            self.used[f"job:{number}"] = amount
            assert not was_frozen

    def fail(self, part, number):
        if self.used:
            job = sorted(self.used)[part % len(self.used)]
            self.purchase.fail(job)
            del self.used[job]

    def redate(self, part, number):
        family = self.purchase.family()
        with suppress(DomainError):
            self.purchase.redate(family[part % len(family)], None, f"longer:{number}")

    def expire(self, part, number):
        self.clock.enter_context(moved_to(self.purchase.lot.expires_at))

    def check(self):
        """Nothing is lost, and no money went back whose credits are there."""
        payment, family = self.purchase.now(), self.purchase.family()
        rows = CreditTransaction.objects.filter(lot__in=family, transaction_type="expired")
        expired = -sum(rows.values_list("amount", flat=True))
        left = sum(lot.remaining for lot in family)
        assert left + payment.clawed_back + sum(self.used.values()) + expired == payment.credits
        assert self.purchase.clawed_back() == payment.clawed_back
        assert 0 <= payment.clawed_back <= payment.to_claw_back
        assert payment.clawed_back == payment.to_claw_back or not left


LIVED = st.lists(
    st.tuples(
        st.sampled_from(["spend", "spend", "fail", "fail", "redate", "expire"]), st.integers(0, 10)
    ),
    max_size=10,
)


@SLOW
@given(CARDS, PRICES, STEPS, LIVED, st.randoms())
def test_a_life_in_between_loses_nothing_and_puts_nothing_out_of_reach(
    stripe, settings, card, price, steps, lived, chance
):
    settings.TRIAL_CREDITS = 0
    stripe.server.world.reset()
    stripe.told = 0
    purchase = begin(stripe, card, price, 0, valid_days=30)
    stripe.tell("payment_intent.succeeded")
    life = Life(purchase)
    todo = [*steps, *lived, *[("tell", None)] * 3]
    chance.shuffle(todo)
    with life.clock:
        for number, (what, detail) in enumerate(todo):
            if what == "tell":
                stripe.tell()
                settle()
            elif hasattr(life, what):
                getattr(life, what)(detail, number)
            else:
                act(purchase, (what, detail))
        stripe.told = 0
        stripe.tell()
        settle()
        reversals.take_what_came_back()

        check_money(purchase)
        life.check()
    assert [finding for finding in verify(MONEY) if finding.failures] == []

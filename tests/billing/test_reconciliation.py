"""Three columns that must agree: Stripe, our payments, and the ledger."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.billing.errors import BillingNotConfigured, StripeUnavailable
from apps.billing.models import Customer, Payment, ReconciliationCase, ReconciliationRun
from apps.billing.services import reconciliation, repairs
from apps.billing.tasks import reconcile as task
from apps.core.clock import database_now
from apps.credits.models import Lot, Wallet
from apps.credits.services.grants import grant_credits
from apps.tenants.models import AuditLog
from tests.billing.buying import again, buy, press
from tests.people import make_person

pytestmark = pytest.mark.django_db(transaction=True)
NONE = timedelta(seconds=-60)  # of grace: what is as young as this second is compared as well


@pytest.fixture
def paid(stripe, organization, pack):
    """A payment that is paid at Stripe; nobody has told us."""
    payment = buy(organization, pack)
    press(payment)
    return payment


@pytest.fixture
def settled(stripe, paid):
    stripe.tell()
    return again(paid)


def compare(**more):
    return reconciliation.reconcile(**({"grace": NONE} | more))


def cases(**fields):
    return ReconciliationCase.objects.filter(**fields)


def the_case():
    return ReconciliationCase.objects.get()


def refund(stripe, payment, amount):
    stripe.v1.refunds.create({"payment_intent": payment.stripe_payment_intent_id, "amount": amount})


def charge(stripe, customer):
    method = stripe.v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    stripe.v1.payment_intents.create(
        {
            "amount": 777,
            "currency": "usd",
            "customer": customer,
            "payment_method": method.id,
            "payment_method_types": ["card"],
            "confirm": True,
            "off_session": True,
        }
    )


class TestNothing:
    def test_is_found_when_all_is_right(self, settled):
        run = compare()

        assert (run.status, run.compared, run.opened) == ("done", 1, 0)
        assert not cases().exists()
        money = {"stripe": 1900, "stripe_refunded": 0, "payments": 1900, "payments_refunded": 0}
        assert run.totals == {
            "money": {"eur": money},
            "credits": {"payments": 1050, "ledger": 1050},
        }

    def test_is_found_where_nobody_has_paid(self, stripe, organization, pack):
        buy(organization, pack)
        assert compare().compared == 0

    def test_is_said_of_customers_who_are_not_ours(self, stripe, settled):
        charge(stripe, stripe.v1.customers.create({"name": "Another shop"}).id)
        run = compare()
        assert (run.compared, run.opened) == (1, 0)

    def test_is_said_of_what_is_so_young_that_its_news_is_on_its_way(self, stripe, paid):
        run = reconciliation.reconcile()
        assert (run.compared, run.opened) == (0, 0)
        assert compare().opened == 1


class TestALostEvent:
    def test_is_found(self, paid, organization):
        run = compare()

        case = the_case()
        assert (case.kind, case.status) == ("paid_not_settled", "open")
        assert (case.organization, case.payment) == (organization, again(paid))
        assert (case.stripe_amount, case.stripe_currency) == (1900, "eur")
        assert (case.payment_amount, case.payment_status) == (1900, "open")
        assert (case.payment_credits, case.ledger_credits) == (1050, None)
        assert (case.first_run, run.opened) == (run, 1)
        assert case.can_be_repaired

    def test_is_one_case_however_often_it_is_found(self, paid):
        compare()
        run = compare()

        assert run.opened == 0
        assert the_case().last_run == run

    def test_that_comes_later_closes_its_case(self, stripe, paid):
        compare()
        stripe.tell()
        run = compare()

        assert (the_case().status, run.closed) == ("gone", 1)
        assert the_case().closed_by is None

    def test_of_long_ago_stays_open_and_is_still_closed(self, stripe, paid, monkeypatch):
        compare()
        monkeypatch.setattr(reconciliation, "WINDOW", timedelta(seconds=-30))
        assert compare().closed == 0
        stripe.tell()
        assert compare().closed == 1

    def test_of_a_payment_that_is_not_here_at_all(self, stripe, organization, settled):
        charge(stripe, Customer.objects.get().stripe_id)
        compare()

        case = the_case()
        assert (case.kind, case.organization, case.payment) == (
            "payment_missing",
            organization,
            None,
        )
        assert (case.stripe_amount, case.payment_amount) == (777, None)


class TestAGrant:
    def grant(self, organization, reference):
        grant_credits(
            wallet=Wallet.objects.get(organization=organization, kind="organization"),
            amount=500,
            kind=Lot.Kind.PURCHASE,
            reference=reference,
            source="pack",
            stripe_payment_intent_id=reference.removeprefix("payment_intent:"),
        )

    def test_without_a_payment_is_found(self, stripe, organization):
        self.grant(organization, "payment_intent:pi_nothing")
        compare()

        case = the_case()
        assert (case.kind, case.organization) == ("granted_not_paid", organization)
        assert (case.stripe_amount, case.payment_amount, case.ledger_credits) == (None, None, 500)

    def test_of_another_kind_is_none_of_ours(self, stripe, organization):
        self.grant(organization, "invoice_line:il_1")
        assert compare().opened == 0

    def test_that_is_missing_is_found(self, stripe, paid):
        intent = stripe.v1.checkout.sessions.retrieve(paid.stripe_session_id).payment_intent
        Payment.objects.update(
            status="succeeded", settled_at=database_now(), stripe_payment_intent_id=intent
        )
        compare()

        case = the_case()
        assert (case.kind, case.payment_credits, case.ledger_credits) == (
            "not_granted",
            1050,
            None,
        )
        assert case.can_be_repaired

    def test_of_another_number_is_found(self, settled):
        Payment.objects.update(credits=2000)
        compare()
        assert the_case().kind == "credits_differ"


class TestAmounts:
    def test_that_differ_are_found(self, settled):
        Payment.objects.update(amount=1800)
        compare()

        case = the_case()
        assert (case.kind, case.stripe_amount, case.payment_amount) == (
            "amount_differs",
            1900,
            1800,
        )
        assert not case.can_be_repaired

    def test_in_another_currency_are_found(self, settled):
        Payment.objects.update(currency="usd")
        compare()
        assert the_case().kind == "amount_differs"

    def test_that_nobody_paid_are_found(self, settled):
        Payment.objects.update(stripe_payment_intent_id="pi_none_at_all")
        compare()
        kinds = set(cases().values_list("kind", flat=True))
        # Stripe has the money under an intent that no payment of ours has.
        assert kinds == {"settled_not_paid", "payment_missing"}

    def test_that_were_refunded_unseen_are_found(self, stripe, settled):
        refund(stripe, settled, 700)
        compare()

        case = the_case()
        assert (case.kind, case.stripe_refunded, case.payment_refunded) == (
            "refund_differs",
            700,
            0,
        )

    def test_that_were_refunded_just_now_are_not(self, stripe, settled, monkeypatch):
        refund(stripe, settled, 700)
        moving = reconciliation.comparing._refunds

        def young(since, until):
            every, _ = moving(since, until)
            return every, every

        monkeypatch.setattr(reconciliation.comparing, "_refunds", young)
        assert compare().opened == 0


class TestACase:
    def test_that_is_dismissed_stays_so_until_the_amounts_change(self, stripe, settled):
        refund(stripe, settled, 700)
        compare()
        repairs.dismiss(case=the_case(), user=make_person(), reason="Known.")
        assert compare().opened == 0
        assert the_case().status == "dismissed"

        refund(stripe, settled, 100)
        assert compare().opened == 1
        case = the_case()
        assert (case.status, case.stripe_refunded, case.note) == ("open", 800, "")

    def test_that_was_gone_and_comes_back_is_open_again(self, stripe, settled):
        refund(stripe, settled, 700)
        compare()
        Payment.objects.update(refunded=700)
        compare()
        assert the_case().status == "gone"
        Payment.objects.update(refunded=0)
        assert compare().opened == 1
        assert the_case().status == "open"

    def test_that_staff_closed_while_a_run_looked_stays_closed(self, stripe, paid, monkeypatch):
        compare()
        collect = reconciliation.comparing.collect

        def slow(**asked):
            lines = collect(**asked)
            repairs.repair(case=the_case(), user=make_person(), reason="Quicker.")
            return lines

        monkeypatch.setattr(reconciliation.comparing, "collect", slow)
        assert compare().opened == 0
        assert the_case().status == "repaired"

    def test_closed_by_staff_says_why(self, paid):
        compare()
        with pytest.raises(IntegrityError), transaction.atomic():
            cases().update(status="dismissed", closed_at=database_now())


class TestARun:
    def test_that_cannot_ask_stripe_changes_nothing_and_says_so(self, stripe, paid, monkeypatch):
        compare()
        stripe.tell()

        def away(**asked):
            raise StripeUnavailable

        monkeypatch.setattr(reconciliation.comparing.receipts, "list_charges", away)
        with pytest.raises(StripeUnavailable):
            compare()

        run = ReconciliationRun.objects.latest("id")
        assert run.status == "failed"
        assert "Stripe does not answer" in run.error
        assert the_case().status == "open"
        task()  # a task ends quietly; the row says it
        monkeypatch.undo()
        assert compare().closed == 1

    def test_is_not_written_down_each_night_without_a_key(self, stripe, settings):
        settings.STRIPE_SECRET_KEY = ""
        with pytest.raises(BillingNotConfigured):
            compare()
        with pytest.raises(BillingNotConfigured), transaction.atomic():
            reconciliation.request_run(user=make_person())
        task()
        assert not ReconciliationRun.objects.exists()

    def test_is_asked_for_once_while_one_is_under_way(self, stripe):
        person = make_person()
        with transaction.atomic():
            first = reconciliation.request_run(user=person)
            second = reconciliation.request_run(user=make_person())

        assert first == second
        assert first.requested_by == person
        assert AuditLog.objects.filter(action="reconciliation.requested").count() == 1
        assert reconciliation.reconcile(first.pk).status == "done"
        assert reconciliation.reconcile(first.pk) is None  # it is over

    def test_that_nobody_rang_for_is_taken_up_at_night(self, stripe):
        with transaction.atomic():
            asked = reconciliation.request_run(user=make_person())
        assert compare() == asked

    def test_is_left_to_the_worker_that_has_it(self, stripe):
        ReconciliationRun.objects.create(since=database_now(), started_at=database_now())
        assert compare() is None

    def test_whose_worker_was_lost_ends(self, stripe):
        long_ago = database_now() - timedelta(hours=3)
        lost = ReconciliationRun.objects.create(since=long_ago, started_at=long_ago)
        assert compare().status == "done"
        lost.refresh_from_db()
        assert (lost.status, lost.error) == ("failed", "Its worker was lost.")

    def test_two_at_once_cannot_be(self, stripe):
        ReconciliationRun.objects.create(since=database_now())
        with pytest.raises(IntegrityError), transaction.atomic():
            ReconciliationRun.objects.create(since=database_now())

    def test_reads_more_than_one_page(self, stripe, organization, pack, monkeypatch):
        monkeypatch.setattr(reconciliation.comparing.receipts, "PAGE", 1)
        for _ in range(3):
            press(buy(organization, pack))
        stripe.tell()
        run = compare()
        assert (run.compared, run.opened) == (3, 0)

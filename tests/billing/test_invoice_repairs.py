"""An invoice of which no news ever came: repaired from its case, once, whatever comes later."""

from contextlib import suppress
from datetime import timedelta

import pytest

from apps.billing.errors import CaseClosed, CaseNotRepairable, CaseOvertaken, StripeUnavailable
from apps.billing.models import BillingDocument, OrganizationSubscription, Payment
from apps.billing.models import ReconciliationCase as Case
from apps.billing.services import invoice_repairs, reconciliation, repairs
from apps.core.invariants import verify
from tests.billing.subscribing import Life, again, make_plan
from tests.billing.test_subscription_life import FEBRUARY, HOUR
from tests.people import make_person
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
NONE = timedelta(seconds=-60)
BEGUN = [(10, 500, 500)]


@pytest.fixture
def life(stripe, settings):
    settings.MOVABLE_CLOCK = True
    yield Life(stripe)
    assert [one for one in verify() if one.failures] == []


@pytest.fixture
def staff():
    return make_person(is_staff=True)


@pytest.fixture
def lost(life):
    """The first invoice of a subscription is paid, and nobody told us."""
    row = life.begin(make_plan(life.stripe))
    life.press(row)
    return compare(life)


def compare(life):
    """Reconcile, and return the only case that is open."""
    with life.here():
        reconciliation.reconcile(grace=NONE)
    return Case.objects.get(status="open")


def repair(life, case, staff):
    with life.here():
        return repairs.repair(case=case, user=staff, reason="Events lost, see OPS-8.")


class TestALostInvoice:
    def test_is_repaired_and_late_events_do_nothing(self, life, lost, staff):
        assert (lost.kind, lost.payment, life.cycle()) == ("payment_missing", None, [])

        ended = repair(life, lost, staff)

        payment = Payment.objects.get()
        assert (ended.status, ended.payment) == ("repaired", payment)
        assert (payment.purpose, payment.status, payment.amount) == ("invoice", "succeeded", 2900)
        assert payment.stripe_payment_intent_id == lost.stripe_payment_intent_id
        assert OrganizationSubscription.objects.get().status == "active"
        assert life.cycle() == BEGUN
        documents = BillingDocument.objects.values_list("kind", "status", "amount", "payment")
        assert set(documents) == {
            ("invoice", "paid", 2900, payment.pk),
            ("receipt", "paid", 2900, payment.pk),
        }

        life.tell()  # after all

        assert life.cycle() == BEGUN
        assert Payment.objects.count() == 1
        with life.here():
            assert reconciliation.reconcile(grace=NONE).opened == 0

    def test_of_a_renewal_is_repaired_by_its_own_period(self, life, staff):
        row = life.subscribe(make_plan(life.stripe))
        life.move(FEBRUARY + HOUR, tells=False)
        life.stripe.news()  # dropped
        case = compare(life)

        repair(life, case, staff)

        assert again(row).current_period_start == FEBRUARY
        # 100 were carried over, and the month's 500 were given; of the first 500 none are left.
        assert sorted(life.cycle()) == [(5, 100, 100), (10, 500, 0), (10, 500, 500)]

    def test_whose_failure_was_told_and_whose_payment_was_not(self, life, lost, staff):
        row = OrganizationSubscription.objects.get()
        invoice = invoice_repairs.ask_for(lost.stripe_payment_intent_id)["invoice"]
        Payment.objects.create(
            organization=life.organization,
            purpose="invoice",
            plan_version=row.version,
            amount=2900,
            currency="eur",
            status="failed",
            is_live=False,
            stripe_invoice_id=invoice["id"],
            stripe_payment_intent_id=lost.stripe_payment_intent_id,
        )
        with life.here():
            reconciliation.reconcile(grace=NONE)
        case = Case.objects.get(kind="paid_not_settled")

        repair(life, case, staff)

        assert Payment.objects.get().status == "succeeded"
        assert life.cycle() == BEGUN  # an intent alone tells nothing of a period

    def test_is_repaired_once_however_many_press(self, life, lost):
        people = [make_person(is_staff=True) for _ in range(4)]

        def press(person):
            try:
                repair(life, lost, person)
            except CaseClosed:
                return 0
            return 1

        done = at_once([lambda person=person: press(person) for person in people])

        assert sum(done) == 1
        assert life.cycle() == BEGUN
        assert Payment.objects.count() == 1

    def test_and_its_event_at_the_same_moment_give_once(self, life, lost, staff):
        def press():
            with suppress(CaseOvertaken):  # the event was quicker
                repair(life, lost, staff)

        at_once([press, life.tell])

        assert life.cycle() == BEGUN
        assert Payment.objects.count() == 1

    def test_is_not_brought_back_to_what_was_asked_before_newer_news(self, life, lost, staff):
        def ask(case):
            told = invoice_repairs.ask_for(case.stripe_payment_intent_id)
            return told | {"asked_at": (life.now - timedelta(hours=1)).isoformat()}

        life.tell()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(repairs, "_ask", ask)
            with pytest.raises(CaseOvertaken):
                repair(life, lost, staff)
        assert Case.objects.get().status == "open"
        assert repair(life, lost, staff).status == "repaired"


class TestARefusal:
    def test_of_what_paid_no_invoice(self, life, staff):
        method = life.stripe.v1.payment_methods.attach(
            "pm_card_visa", {"customer": life.customer.id}
        )
        life.stripe.v1.payment_intents.create(
            {
                "amount": 777,
                "currency": "eur",
                "customer": life.customer.id,
                "payment_method": method.id,
                "payment_method_types": ["card"],
                "confirm": True,
                "off_session": True,
            }
        )
        case = compare(life)
        with pytest.raises(CaseNotRepairable):
            repair(life, case, staff)
        assert Case.objects.get().status == "open"
        assert Payment.objects.count() == 0

    def test_of_a_subscription_that_is_not_ours(self, life, lost, staff):
        OrganizationSubscription.objects.all().delete()
        with pytest.raises(CaseNotRepairable):
            repair(life, lost, staff)
        assert (Case.objects.get().status, life.cycle()) == ("open", [])

    def test_of_another_intent_than_that_which_paid(self, life, lost, staff, monkeypatch):
        with life.here():
            told = invoice_repairs.ask_for(lost.stripe_payment_intent_id)
        monkeypatch.setattr(repairs, "_ask", lambda case: told)
        Case.objects.update(stripe_payment_intent_id="pi_other")
        with pytest.raises(CaseNotRepairable):
            repair(life, Case.objects.get(), staff)
        assert (Case.objects.get().status, life.cycle()) == ("open", [])

    def test_while_stripe_is_away(self, life, lost, staff, monkeypatch):
        def away(intent_id):
            raise StripeUnavailable

        monkeypatch.setattr(invoice_repairs.receipts, "invoice_of", away)
        with pytest.raises(StripeUnavailable):
            repair(life, lost, staff)
        assert Case.objects.get().status == "open"

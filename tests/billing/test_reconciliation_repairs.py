"""Repairs: what was paid is granted once, whoever presses the button and however many."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.billing.errors import CaseClosed, CaseNotRepairable, PaymentDiffers, StripeUnavailable
from apps.billing.models import Payment, ReconciliationCase
from apps.billing.services import reconciliation, repairs
from apps.core.clock import database_now
from apps.core.invariants import verify
from apps.tenants.models import AuditLog
from tests.billing.buying import again, balance, buy, grants, make_pack, press
from tests.people import make_person
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
NONE = timedelta(seconds=-60)


@pytest.fixture
def payment(stripe, organization):
    """A payment that is paid at Stripe; nobody has told us."""
    made = buy(organization, make_pack())
    press(made)
    return made


@pytest.fixture
def staff():
    return make_person(is_staff=True)


@pytest.fixture
def case(payment):
    reconciliation.reconcile(grace=NONE)
    return ReconciliationCase.objects.get()


def now(case):
    return ReconciliationCase.objects.get(pk=case.pk)


def forget_the_grant(stripe, payment):
    """Let a payment be settled without its credits, as no code of ours does."""
    intent = stripe.v1.checkout.sessions.retrieve(payment.stripe_session_id).payment_intent
    Payment.objects.update(
        status="succeeded",
        settled_at=database_now(),
        stripe_payment_intent_id=intent,
        pay_url="",
    )


class TestALostEvent:
    def test_is_repaired_with_its_credits(self, organization, payment, case, staff):
        before = balance(organization)
        repairs.repair(case=case, user=staff, reason="Event lost, see OPS-7.")

        assert again(payment).status == "succeeded"
        assert balance(organization) == before + 1050
        assert grants(organization).count() == 1
        ended = now(case)
        assert (ended.status, ended.note) == ("repaired", "Event lost, see OPS-7.")
        assert ended.closed_by == staff
        row = AuditLog.objects.get(action="reconciliation.repaired")
        assert (row.organization, row.object_id) == (organization, case.public_id)
        assert row.reason == "Event lost, see OPS-7."
        assert row.after["payment"] == payment.public_id
        run = reconciliation.reconcile(grace=NONE)
        assert run.opened == 0
        assert now(case).status == "repaired"
        assert [finding for finding in verify() if finding.failures] == []

    def test_that_comes_after_the_repair_grants_nothing_more(
        self, stripe, organization, case, staff
    ):
        repairs.repair(case=case, user=staff, reason="Lost.")
        before = balance(organization)
        stripe.tell()
        assert balance(organization) == before
        assert grants(organization).count() == 1

    def test_that_came_before_the_repair_grants_nothing_more(
        self, stripe, organization, case, staff
    ):
        stripe.tell()
        before = balance(organization)
        repairs.repair(case=case, user=staff, reason="Lost.")
        assert balance(organization) == before
        assert grants(organization).count() == 1

    def test_is_repaired_once_however_many_press(self, stripe, organization, case):
        before = balance(organization)
        people = [make_person(is_staff=True) for _ in range(8)]

        def press_it(person):
            try:
                repairs.repair(case=now(case), user=person, reason="Mine.")
            except CaseClosed:
                return 0
            return 1

        done = at_once([lambda person=person: press_it(person) for person in people])

        assert sum(done) == 1
        assert balance(organization) == before + 1050
        assert grants(organization).count() == 1
        assert AuditLog.objects.filter(action="reconciliation.repaired").count() == 1

    def test_and_its_repair_at_the_same_moment_grant_once(self, stripe, organization, case, staff):
        before = balance(organization)
        at_once(
            [
                lambda: repairs.repair(case=now(case), user=staff, reason="Mine."),
                stripe.tell,
            ]
        )
        assert balance(organization) == before + 1050
        assert grants(organization).count() == 1


class TestAMissingGrant:
    @pytest.fixture
    def ungranted(self, stripe, payment):
        forget_the_grant(stripe, payment)
        reconciliation.reconcile(grace=NONE)
        return ReconciliationCase.objects.get()

    def test_is_made_up_for_once(self, organization, ungranted, staff):
        before = balance(organization)
        repairs.repair(case=ungranted, user=staff, reason="Restored from a backup.")

        assert balance(organization) == before + 1050
        with pytest.raises(CaseClosed):
            repairs.repair(case=ungranted, user=staff, reason="Once more.")
        assert grants(organization).count() == 1
        assert [finding for finding in verify() if finding.failures] == []

    def test_is_not_made_for_what_stripe_does_not_call_paid(
        self, organization, ungranted, staff, monkeypatch
    ):
        told = repairs._ask(ungranted)
        told["payment_intent"]["status"] = "canceled"
        monkeypatch.setattr(repairs, "_ask", lambda *_: told)
        with pytest.raises(CaseNotRepairable):
            repairs.repair(case=ungranted, user=staff, reason="Please.")
        assert grants(organization).count() == 0
        assert now(ungranted).status == "open"

    def test_is_not_made_for_another_intent(self, organization, ungranted, staff):
        ReconciliationCase.objects.update(stripe_payment_intent_id="pi_other")
        with pytest.raises(CaseNotRepairable):
            repairs.repair(case=now(ungranted), user=staff, reason="Please.")
        assert grants(organization).count() == 0


class TestARefusal:
    def test_of_what_no_entry_repairs(self, stripe, organization, payment, staff):
        stripe.tell()
        Payment.objects.update(amount=1)
        reconciliation.reconcile(grace=NONE)
        case = ReconciliationCase.objects.get(kind="amount_differs")
        with pytest.raises(CaseNotRepairable):
            repairs.repair(case=case, user=staff, reason="Please.")
        assert now(case).status == "open"

    def test_of_another_amount_than_was_written_down(self, organization, case, staff):
        Payment.objects.update(amount=1)
        with pytest.raises(PaymentDiffers):
            repairs.repair(case=case, user=staff, reason="Please.")
        assert now(case).status == "open"
        assert grants(organization).count() == 0

    def test_while_stripe_is_away(self, organization, case, staff, monkeypatch):
        def away(*_):
            raise StripeUnavailable

        monkeypatch.setattr(repairs.sessions, "retrieve_session", away)
        with pytest.raises(StripeUnavailable):
            repairs.repair(case=case, user=staff, reason="Please.")
        assert now(case).status == "open"

    def test_inside_a_transaction(self, case, staff):
        with pytest.raises(RuntimeError), transaction.atomic():
            repairs.repair(case=case, user=staff, reason="Please.")

    def test_of_a_case_that_is_closed(self, organization, case, staff):
        repairs.dismiss(case=case, user=staff, reason="It is known.")
        with pytest.raises(CaseClosed):
            repairs.repair(case=case, user=staff, reason="Stale page.")
        with pytest.raises(CaseClosed):
            repairs.dismiss(case=case, user=staff, reason="Twice.")
        assert grants(organization).count() == 0
        assert AuditLog.objects.get(action="reconciliation.dismissed").reason == "It is known."


class TestALostRefund:
    @pytest.fixture
    def unseen(self, stripe, payment):
        stripe.tell()
        intent = again(payment).stripe_payment_intent_id
        stripe.v1.refunds.create({"payment_intent": intent, "amount": 950})
        reconciliation.reconcile(grace=NONE)
        return ReconciliationCase.objects.get(kind="refund_differs")

    def test_is_followed_once(self, stripe, organization, payment, unseen, staff):
        before = balance(organization)
        repairs.repair(case=unseen, user=staff, reason="Refunded at Stripe, never told.")

        assert again(payment).refunded == 950
        assert balance(organization) == before - 525
        stripe.tell()
        assert balance(organization) == before - 525
        assert reconciliation.reconcile(grace=NONE).opened == 0
        assert now(unseen).status == "repaired"
        assert [finding for finding in verify() if finding.failures] == []

    def test_that_is_none_at_stripe_is_refused(self, stripe, payment, unseen, staff, monkeypatch):
        monkeypatch.setattr(repairs.refund_gateway, "list_refunds", lambda **_: [])
        with pytest.raises(CaseNotRepairable):
            repairs.repair(case=unseen, user=staff, reason="Please.")
        assert now(unseen).status == "open"

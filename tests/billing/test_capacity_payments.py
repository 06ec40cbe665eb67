"""A reservation that is paid at Stripe: allocated, or the money goes back; one path for all."""

import json
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from structlog.testing import capture_logs

from apps.billing.errors import StripeUnavailable
from apps.billing.models import BillingDocument, Payment, ReconciliationCase, Refund
from apps.billing.pages import history
from apps.billing.selectors.reconciliation import intents_not_given_back
from apps.billing.services import checkout, reconciliation, refunds
from apps.billing.services.purchases import HELD_SESSION_LIVES
from apps.billing.services.refund_requests import resume_refunds
from apps.billing.services.reversals import lock_payment
from apps.billing.services.sweeping import PATIENCE
from apps.billing.tasks import end_checkout
from apps.capacity.errors import ReservationEnded
from apps.capacity.services.paying import pay
from apps.capacity.services.reserving import release_reservation
from apps.capacity.services.settling import settle_offline
from apps.capacity.services.sweeping import expire_reservations
from apps.capacity.services.waiting import leave
from apps.core import ids
from apps.core.clock import moved_to
from tests.billing.buying import again, balance, press, text_of
from tests.capacity.lines import offered
from tests.capacity.plants import FEE, begin_to_pay, hold, make_project, sizes_of
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stripe", "nothing_is_broken")]
VERIFY = "/api/v1/payments/verify"


@pytest.fixture
def buyer(organization):
    return make_member(organization, "billing manager")


@pytest.fixture
def held(organization):
    return hold(organization, make_project(3, 2, name="North roof"), 5)


def now(reservation):
    reservation.refresh_from_db()
    return reservation


def drawn(*, template, facts, **_):
    """Answer what would become a PDF, once it says what was paid."""
    html = render_to_string(template, facts)
    assert "5 kW of North roof, one month, without tax" in html
    return HttpResponse(html)


def compare():
    """Compare Stripe's money with ours, and return the cases that there are."""
    reconciliation.reconcile(grace=timedelta(seconds=-60))
    return list(ReconciliationCase.objects.values_list("kind", "status"))


def away(*args):
    raise StripeUnavailable


def verify(organization, **named):
    person = make_member(organization, "billing manager")
    _, token = make_key(organization, person, "billing:read")
    return with_key(token).post(VERIFY, named, content_type="application/json")


class TestTheButton:
    def test_leads_to_stripe_once_and_holds_for_as_long(self, stripe, organization, held, buyer):
        payment = pay(reservation=held, user=buyer)

        session = stripe.v1.checkout.sessions.retrieve(payment.stripe_session_id)
        assert (payment.status, payment.pay_url) == ("open", session.url)
        assert (payment.amount, payment.currency, payment.credits) == (5 * FEE, "eur", 0)
        assert payment.description == "5 kW of North roof, one month"
        assert session.metadata["coffer_reservation"] == held.public_id
        assert session.success_url.endswith(f"/capacity/reservations/{held.public_id}/paid/")
        assert now(held).hold_expires_at == payment.created_at + HELD_SESSION_LIVES
        assert session.expires_at <= now(held).hold_expires_at.timestamp()
        assert set(held.project.blocks.values_list("held_until", flat=True)) == {
            held.hold_expires_at
        }
        second = pay(reservation=held, user=buyer)
        assert (second.pk, second.pay_url) == (payment.pk, payment.pay_url)
        assert len(stripe.v1.checkout.sessions.list().data) == 1

    def test_prolongs_a_hold_once(self, stripe, held, buyer):
        first = pay(reservation=held, user=buyer)
        until = now(held).hold_expires_at
        stripe.v1.checkout.sessions.expire(first.stripe_session_id)
        assert checkout.look(first).status == "cancelled"

        second = pay(reservation=held, user=buyer)

        assert (second.pk != first.pk, second.status) == (True, "open")
        assert now(held).hold_expires_at == until

    def test_by_api_answers_the_payment_with_its_page(self, organization, held, buyer):
        _, token = make_key(organization, buyer, "capacity:write")
        answer = with_key(token).post(f"/api/v1/reservations/{held.public_id}/pay")

        assert answer.status_code == 200
        shown = answer.json()
        assert (shown["purpose"], shown["status"], shown["subject"]) == (
            "capacity",
            "open",
            held.public_id,
        )
        assert shown["pay_url"]

    def test_on_the_page_leads_there_and_back(self, organization, held, buyer):
        browser = signed_in(buyer)
        place = f"/o/{organization.slug}/capacity/reservations/{held.public_id}"
        assert "Nothing was paid" in text_of(browser.get(f"{place}/paid/"))

        answer = browser.post(f"{place}/pay/")

        payment = Payment.objects.get()
        assert (answer.status_code, answer.url) == (302, payment.pay_url)
        assert "Go on to pay €62.50" in text_of(browser.get(f"{place}/paid/"))
        press(payment)
        assert "Paid: 5 kW were allocated to you" in text_of(browser.get(f"{place}/paid/"))
        assert now(held).status == "allocated"
        # Once it is paid the button leads to the same page, and not to another payment.
        assert browser.post(f"{place}/pay/").url == f"{place}/paid/"
        assert Payment.objects.count() == 1

    def test_is_there_only_where_stripe_is(self, settings, organization, held, buyer):
        page = signed_in(buyer)
        place = f"/o/{organization.slug}/capacity/reservations/{held.public_id}/"
        button, shown = f'action="{place}pay/"', page.get(place)
        assert button in shown.content.decode()
        assert "bank transfer" not in text_of(shown)
        settings.STRIPE_SECRET_KEY = ""
        shown = page.get(place)
        assert button not in shown.content.decode()
        assert "Pay €62.50 by bank transfer" in text_of(shown)

    def test_leads_nobody_to_pay_for_what_is_paid_or_given_back(self, organization, held, buyer):
        payment, page = pay(reservation=held, user=buyer), signed_in(buyer)
        paid = f"/o/{organization.slug}/capacity/reservations/{held.public_id}/paid/"
        settle_offline(reservation=held, reference="transfer 1")

        shown = page.get(paid)
        assert "Do not pay on Stripe’s page any more" in text_of(shown)
        assert payment.pay_url not in shown.content.decode()
        of_billing = page.get(f"/o/{organization.slug}/billing/payments/{payment.public_id}/")
        assert f'href="{paid}"' in of_billing.content.decode()
        assert payment.pay_url not in of_billing.content.decode()

    def test_says_why_nothing_was_paid(self, organization, held, buyer):
        begin_to_pay(held, status="failed", failure_message="Amounts below €0.50 are refused.")
        place = f"/o/{organization.slug}/capacity/reservations/{held.public_id}/paid/"

        assert "Amounts below €0.50 are refused." in text_of(signed_in(buyer).get(place))


class TestThePage:
    """It ends as soon as there is nothing to pay on it; a worker is asked to see to that."""

    @pytest.fixture
    def ends(self, stripe, monkeypatch):
        """Tell how Stripe's page of a payment stands, once the workers have done what was asked."""
        rung = []
        monkeypatch.setattr(checkout, "enqueue", lambda task, payment_id: rung.append(payment_id))

        def ended(payment):
            for payment_id in rung:
                end_checkout(payment_id)
            return stripe.v1.checkout.sessions.retrieve(payment.stripe_session_id).status

        return ended

    @pytest.mark.parametrize("how", ["given back", "marked as paid", "expired"])
    def test_ends_with_the_reservation(self, held, buyer, ends, how):
        payment = pay(reservation=held, user=buyer)
        match how:
            case "given back":
                release_reservation(reservation=held)
            case "marked as paid":
                settle_offline(reservation=held, reference="transfer 1")
            case _:
                with moved_to(timezone.now() + timedelta(minutes=41)):
                    assert expire_reservations() == 1

        assert [ends(payment) for _ in range(2)] == ["expired"] * 2
        assert (again(payment).status, again(payment).pay_url) == ("cancelled", "")
        assert not Refund.objects.exists()

    def test_ends_with_an_offer_that_is_declined(self, organization, buyer, ends):
        entry = offered(organization, 5)
        payment = pay(reservation=entry.reservation, user=buyer)
        leave(entry=entry)

        assert ends(payment) == "expired"

    def test_whose_answer_got_lost_ends_too(self, stripe, held, buyer, ends):
        payment = pay(reservation=held, user=buyer)
        Payment.objects.update(status="unknown", stripe_session_id=None, pay_url="")
        release_reservation(reservation=held)

        assert ends(payment) == "expired"
        assert again(payment).status == "cancelled"

    def test_on_which_was_paid_meanwhile_is_settled(self, stripe, held, buyer, ends):
        payment = pay(reservation=held, user=buyer)
        press(payment)
        release_reservation(reservation=held)

        assert ends(payment) == "complete"
        assert (again(payment).status, now(held).status) == ("succeeded", "late")
        assert Refund.objects.get().status == "requested"

    def test_stays_where_stripe_does_not_answer(self, held, buyer, ends, monkeypatch):
        payment = pay(reservation=held, user=buyer)
        release_reservation(reservation=held)
        with monkeypatch.context() as broken:
            broken.setattr(checkout.gateway, "retrieve_session", away)
            assert ends(payment) == "open"

        assert again(payment).status == "open"

    def test_is_asked_for_once_it_is_certain(self, held, buyer, django_capture_on_commit_callbacks):
        """And by nobody who gives back what was never begun to be paid."""
        pay(reservation=held, user=buyer)
        for reservation, rings in ((held, 1), (hold(held.organization, make_project(1), 1), 0)):
            with django_capture_on_commit_callbacks() as rung:
                release_reservation(reservation=reservation)
            assert len(rung) == rings


class TestAPayment:
    def test_that_was_made_allocates_and_stands_in_the_history(
        self, stripe, organization, held, buyer
    ):
        payment, before = pay(reservation=held, user=buyer), balance(organization)
        press(payment)
        stripe.tell()

        assert (now(held).status, held.payment) == ("allocated", payment)
        assert balance(organization) == before
        assert not Refund.objects.exists()
        receipt = BillingDocument.objects.get(kind="receipt")
        assert receipt.payment == payment
        assert pay(reservation=held, user=buyer).status == "succeeded"  # and not a second one
        browser = signed_in(buyer)
        place = f"/o/{organization.slug}/billing"
        for address in ("payments/", f"payments/{payment.public_id}/", "payments/?format=csv"):
            answer = browser.get(f"{place}/{address}")
            text = b"".join(answer) if answer.streaming else answer.content
            assert "5 kW of North roof, one month" in text.decode()
        found = text_of(browser.get(f"{place}/invoices/?q=north+roof"))
        assert "1 document on this page" in found
        with patch.object(history, "pdf_response", side_effect=drawn) as drawing:
            browser.get(f"{place}/invoices/{receipt.public_id}/pdf/")
        assert drawing.call_count == 1

    def test_is_verified_on_the_way_back_as_the_webhook_would(self, stripe, organization, held):
        payment = pay(reservation=held, user=None)
        press(payment)

        by_session = verify(organization, session=payment.stripe_session_id)

        assert by_session.json()["status"] == "succeeded"
        assert now(held).status == "allocated"
        assert verify(organization, payment=payment.public_id).json() == by_session.json()
        stripe.tell()  # the webhook finds it done
        assert held.allocations.count() == 2

    def test_of_another_organization_is_not_found(self, held):
        payment = pay(reservation=held, user=None)
        press(payment)
        for named in (
            {"session": payment.stripe_session_id},
            {"payment": payment.public_id},
            {"session": "cs_test_nothing"},
        ):
            assert verify(make_organization(), **named).status_code == 404
        assert now(held).status == "held"

    @pytest.mark.parametrize("named", [{}, {"payment": "pay_1", "session": "cs_1"}])
    def test_is_named_once(self, organization, named):
        assert verify(organization, **named).status_code == 400

    def test_that_came_too_late_goes_back_once(self, stripe, organization, held, buyer):
        payment = pay(reservation=held, user=buyer)
        press(payment)
        release_reservation(reservation=held)
        stripe.tell()

        assert now(held).status == "late"
        refund = Refund.objects.get()
        assert (refund.status, refund.reason) == ("requested", "undeliverable")
        with moved_to(timezone.now() + PATIENCE * 2):
            assert resume_refunds() == 1
            assert resume_refunds() == 0
        stripe.tell()

        (told,) = stripe.v1.refunds.list().data
        assert (told.amount, told.metadata["coffer_refund"]) == (5 * FEE, refund.public_id)
        assert again(payment).refund_status == "full"
        assert Refund.objects.get().status == "succeeded"

    def test_that_stripe_refuses_to_give_back_is_a_case_until_it_is_back(
        self, stripe, held, buyer, monkeypatch
    ):
        """Nobody asked for the refund, so that nobody waits for what becomes of it."""
        payment = pay(reservation=held, user=buyer)
        press(payment)
        release_reservation(reservation=held)
        stripe.tell()
        intent = again(payment).stripe_payment_intent_id
        stripe.v1.refunds.create({"payment_intent": intent, "amount": 100})  # so not all is left
        stripe.tell()
        assert compare() == []
        with moved_to(timezone.now() + PATIENCE * 2), capture_logs() as logs:
            resume_refunds()

        refund = Refund.objects.get(reason="undeliverable")
        assert refund.status == "failed"
        (told,) = [line for line in logs if line["log_level"] == "error"]
        assert (told["event"], told["refund"]) == ("money_not_given_back", refund.public_id)
        monkeypatch.setattr(reconciliation, "WINDOW", timedelta(seconds=-30))  # so paid long ago
        assert compare() == [("not_given_back", "open")]
        stripe.v1.refunds.create({"payment_intent": intent})
        stripe.tell()
        assert compare() == [("not_given_back", "gone")]

    def test_that_comes_back_from_its_bank_is_to_go_back_still(self, stripe, held, buyer):
        payment = pay(reservation=held, user=buyer)
        press(payment)
        release_reservation(reservation=held)
        stripe.tell()
        with moved_to(timezone.now() + PATIENCE * 2):
            resume_refunds()
        assert intents_not_given_back() == set()
        told = json.loads(str(stripe.v1.refunds.list().data[0]))
        with transaction.atomic():
            refunds.follow(payment=lock_payment(payment.pk), told={**told, "status": "failed"})

        assert intents_not_given_back() == {again(payment).stripe_payment_intent_id}

    def test_that_staff_give_back_leaves_the_blocks_and_says_so(self, stripe, held, buyer):
        payment = pay(reservation=held, user=buyer)
        press(payment)
        stripe.tell()
        staff = signed_in(make_person(is_staff=True, is_superuser=True))
        address = f"/admin/billing/payment/{payment.pk}/refund/"
        form = {"refund_id": str(ids.new_id()), "amount": "", "note": "x", "step": "preview"}

        assert staff.post(address, {**form, "reason": "undeliverable"}).status_code == 422
        shown = staff.post(address, {**form, "reason": "other"})
        assert "Stay with the customer until they are withdrawn" in text_of(shown)
        staff.post(address, {**form, "reason": "other", "step": "confirm"})

        stripe.tell()
        assert again(payment).refund_status == "full"
        assert now(held).status == "allocated"

    def test_whose_hold_has_ended_begins_no_more(self, held):
        release_reservation(reservation=held)
        with pytest.raises(ReservationEnded):
            pay(reservation=held, user=None)

    def test_ends_with_the_hold(self, stripe, held):
        payment = pay(reservation=held, user=None)
        with moved_to(timezone.now() + timedelta(minutes=42)):
            assert checkout.sweep() == 1

        assert again(payment).status == "cancelled"
        assert stripe.v1.checkout.sessions.retrieve(payment.stripe_session_id).status == "expired"
        assert sizes_of(held)  # until its own sweep

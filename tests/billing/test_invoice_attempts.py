"""Open invoices that somebody wants paid with the saved card: each outcome is told truthfully."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.billing.errors import (
    AuthenticationNeeded,
    InvoiceNotOpen,
    PaymentDeclined,
    StripeRefused,
    StripeUnavailable,
)
from apps.billing.gateway import invoices as gateway
from apps.billing.models import BillingDocument, Customer, InvoiceAttempt, Payment
from apps.billing.selectors.closing import money_to_come
from apps.billing.services import invoice_attempts
from apps.billing.tasks import sweep_documents
from apps.core import clock
from apps.core.errors import NotFound
from apps.tenants.models import AuditLog
from tests.billing.buying import text_of
from tests.billing.invoicing import ask, open_invoice, pay, use_card
from tests.billing.reloading import charges, tries, with_card
from tests.billing.subscribing import again
from tests.billing.test_subscription_life import (
    FEBRUARY,
    HOUR,
    decline_from_now_on,
    life,
    movable,
    plan,
)
from tests.billing.test_subscription_life import use_card as use_card_of
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key

__all__ = ["life", "plan"]  # fixtures
movable = pytest.fixture(movable.__wrapped__)  # not for every test here
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_is_broken")]
REFUSALS = [
    ("pm_card_chargeCustomerFail", "declined", PaymentDeclined),
    ("pm_card_authenticationRequired", "action_required", AuthenticationNeeded),
]


@pytest.fixture
def document(stripe, organization):
    """Return an open invoice of an organization with a card that goes through."""
    with_card(stripe, organization)
    return open_invoice(stripe, organization)


def lost(monkeypatch, *, after=True):
    """Let Stripe's next answers get lost, after it has done what it was asked or before."""
    pay_invoice = gateway.pay_invoice

    def answer(**terms):
        if after:
            pay_invoice(**terms)
        raise StripeUnavailable

    monkeypatch.setattr(gateway, "pay_invoice", answer)


def later(**time):
    """Look from so much later on."""
    return clock.moved_to(clock.database_now() + timedelta(**time))


class TestAnAttempt:
    def test_pays(self, stripe, organization, document):
        user = make_person()
        attempt = pay(document, user)

        assert (attempt.status, attempt.user, attempt.failure_code) == ("paid", user, "")
        document.refresh_from_db()
        assert (document.status, document.amount_due) == ("paid", 0)
        assert len(charges(stripe)) == 1
        actions = AuditLog.objects.filter(object_id=document.public_id).order_by("id")
        assert [one.action for one in actions] == ["invoice.pay_requested", "invoice.pay"]

    @pytest.mark.parametrize(("card", "status", "refusal"), REFUSALS)
    def test_says_why_not(self, stripe, organization, document, card, status, refusal):
        use_card(stripe, organization, card)
        attempt = pay(document)

        assert attempt.status == status
        with pytest.raises(refusal) as refused:
            invoice_attempts.raise_refusal(attempt)
        document.refresh_from_db()
        assert (document.status, document.amount_due) == ("open", 1500)
        if status == "declined":
            assert attempt.failure_message in str(refused.value)
            assert attempt.failure_message
        else:
            assert refused.value.details["pay_url"] == document.hosted_url
        use_card(stripe, organization, "pm_card_visa")
        assert pay(document).status == "paid"

    def test_charges_the_card_that_is_shown(self, stripe, organization):
        with_card(stripe, organization)
        customer = Customer.objects.get(organization=organization).stripe_id
        other = stripe.v1.payment_methods.attach(
            "pm_card_chargeCustomerFail", {"customer": customer}
        )
        document = open_invoice(stripe, organization, default_payment_method=other.id)

        assert pay(document).status == "paid"

    def test_keeps_an_organization_open(self, document):
        assert money_to_come(document.organization) is None
        ask(document)
        refusal = money_to_come(document.organization)
        assert "An invoice is being paid" in str(refusal)

    def test_needs_a_card(self, stripe, organization):
        attempt = pay(open_invoice(stripe, organization))
        assert attempt.status == "refused"
        with pytest.raises(StripeRefused, match="No card is saved"):
            invoice_attempts.raise_refusal(attempt)

    def test_of_what_is_paid_meanwhile_is_paid(self, stripe, document):
        attempt = ask(document)
        stripe.v1.invoices.pay(document.stripe_id)
        found = invoice_attempts.carry_out(attempt)
        assert (found.status, found.failure_code) == ("paid", "")
        assert len(charges(stripe)) == 1

    @pytest.mark.parametrize("status", ["paid", "void"])
    def test_needs_an_open_invoice(self, document, status):
        BillingDocument.objects.filter(pk=document.pk).update(status=status, amount_due=0)
        with pytest.raises(InvoiceNotOpen, match=f"invoice .{status.title()}."):
            ask(document)

    def test_needs_an_invoice(self, document):
        rows = BillingDocument.objects.filter(pk=document.pk)
        rows.update(kind="credit_note", status="issued")
        with pytest.raises(InvoiceNotOpen):
            ask(document)

    def test_needs_one_of_the_organization(self, document):
        other = make_organization(name="Other")
        with pytest.raises(NotFound), transaction.atomic():
            invoice_attempts.request(organization=other, user=None, document_id=document.pk)

    def test_is_the_one_that_is_being_asked_for(self, document):
        assert ask(document) == ask(document)
        assert InvoiceAttempt.objects.count() == 1


class TestAStripeThatDoesNotAnswer:
    @pytest.mark.parametrize("after", [True, False])
    def test_is_asked_again_with_the_same_key(self, stripe, document, monkeypatch, after):
        lost(monkeypatch, after=after)
        with pytest.raises(StripeUnavailable):
            pay(document)
        assert InvoiceAttempt.objects.get().status == "asked"
        monkeypatch.undo()
        sweep_documents()  # too early: whoever asked may still be at it
        assert InvoiceAttempt.objects.get().status == "asked"
        with later(minutes=2):
            sweep_documents()

        assert InvoiceAttempt.objects.get().status == "paid"
        assert len(charges(stripe)) == 1
        document.refresh_from_db()
        assert document.status == "paid"

    def test_and_declined_is_asked_for_its_answer_and_not_again(
        self, stripe, organization, document, monkeypatch
    ):
        use_card(stripe, organization, "pm_card_chargeCustomerFail")
        lost_answer = gateway.pay_invoice

        def answer(**terms):
            with pytest.raises(PaymentDeclined):
                lost_answer(**terms)
            raise StripeUnavailable

        monkeypatch.setattr(gateway, "pay_invoice", answer)
        with pytest.raises(StripeUnavailable):
            pay(document)
        monkeypatch.undo()
        attempt = pay(document)
        assert (attempt.status, InvoiceAttempt.objects.count()) == ("declined", 1)
        assert tries(stripe) == 1

    def test_for_a_day_is_asked_no_more(self, stripe, document, monkeypatch):
        lost(monkeypatch, after=False)
        with pytest.raises(StripeUnavailable):
            pay(document)
        monkeypatch.undo()
        with later(days=1):
            sweep_documents()
        attempt = InvoiceAttempt.objects.get()
        assert attempt.status == "unanswered"
        assert tries(stripe) == 0
        with pytest.raises(StripeRefused):
            invoice_attempts.raise_refusal(attempt)


@pytest.mark.usefixtures("movable")
def test_a_plan_that_was_past_due_goes_on_with_its_credits(life, plan):
    row = life.subscribe(plan)
    decline_from_now_on(life)
    life.move(FEBRUARY + HOUR)
    document = BillingDocument.objects.get(status="open")
    use_card_of(life, "pm_card_visa")
    with life.here():
        attempt = ask(document)
        InvoiceAttempt.objects.update(created_at=life.now)  # by the customer's clock
        attempt = invoice_attempts.resume(life.organization, attempt.pk)
    assert attempt.status == "paid"

    document.refresh_from_db()
    assert (document.status, document.payment.status) == ("paid", "succeeded")
    assert again(row).status == "active"
    assert life.cycle()[1:] == [(5, 100, 100), (10, 500, 500)]
    assert Payment.objects.filter(status="succeeded").count() == 2
    life.tell()
    assert life.cycle()[1:] == [(5, 100, 100), (10, 500, 500)]


class TestThePage:
    @pytest.fixture
    def client(self, organization):
        return signed_in(make_member(organization, "owner"))

    def place(self, document, end="pay/"):
        home = f"/o/{document.organization.slug}/billing/invoices/"
        return f"{home}{document.public_id}/{end}" if end else home

    def press(self, client, document, key="one"):
        form = {"idempotency_key": key}
        return client.post(self.place(document), form, follow=True)

    def test_pays_once_for_each_form(self, stripe, client, document):
        page = client.get(self.place(document, ""))
        assert "Charge Visa" in text_of(page)
        assert "The invoice is paid." in text_of(self.press(client, document))
        assert "The invoice is paid." in text_of(self.press(client, document))
        assert len(charges(stripe)) == InvoiceAttempt.objects.count() == 1
        assert "Only an open invoice can be paid" in text_of(self.press(client, document, "two"))

    def test_says_why_not_and_keeps_saying_it(self, stripe, organization, client, document):
        use_card(stripe, organization, "pm_card_chargeCustomerFail")
        page = text_of(self.press(client, document))
        assert "The payment was declined" in page
        assert InvoiceAttempt.objects.get().failure_message in text_of(
            client.get(self.place(document, ""))
        )

    def test_leads_to_where_the_bank_is_answered(self, stripe, organization, client, document):
        use_card(stripe, organization, "pm_card_authenticationRequired")
        answer = self.press(client, document)
        assert "The bank asks for a confirmation" in text_of(answer)
        assert f'href="{document.hosted_url}"' in answer.content.decode()

    def test_says_that_stripe_is_away(self, client, document, monkeypatch):
        lost(monkeypatch)
        assert "Stripe does not answer now" in text_of(self.press(client, document))

    def test_takes_a_permission(self, organization, document):
        client = signed_in(make_member(organization, "read-only"))
        assert "Charge Visa" not in text_of(client.get(self.place(document, "")))
        assert self.press(client, document).status_code == 403
        assert not InvoiceAttempt.objects.exists()

    def test_needs_a_form_of_ours(self, client, document):
        answer = self.press(client, document, key="")
        assert "Nothing was charged" in text_of(answer)
        assert not InvoiceAttempt.objects.exists()


class TestTheApi:
    @pytest.fixture
    def key(self, organization):
        owner = make_member(organization, "owner")
        return with_key(make_key(organization, owner, "billing:read", "billing:write")[1])

    def post(self, key, document, name="one"):
        headers = {"Idempotency-Key": name} if name else {}
        place = f"/api/v1/billing-history/{document.public_id}/pay"
        return key.post(place, content_type="application/json", headers=headers)

    def test_pays_once_for_each_key(self, stripe, key, document):
        first, second = self.post(key, document), self.post(key, document)
        assert (first.status_code, first.json()["status"]) == (201, "paid")
        assert first.json() == second.json()
        assert second["Idempotent-Replayed"] == "true"
        assert len(charges(stripe)) == 1
        found = key.get(first["Location"]).json()
        assert (found["status"], found["last_attempt"]) == ("paid", first.json())
        assert self.post(key, document, "two").json()["code"] == "invoice_not_open"

    @pytest.mark.parametrize(
        ("card", "code"),
        [
            ("pm_card_chargeCustomerFail", "payment_declined"),
            ("pm_card_authenticationRequired", "authentication_needed"),
        ],
    )
    def test_says_why_not_each_time(self, stripe, organization, key, document, card, code):
        use_card(stripe, organization, card)
        for _ in range(2):
            answer = self.post(key, document)
            assert (answer.status_code, answer.json()["code"]) == (402, code)
        assert InvoiceAttempt.objects.count() == 1

    def test_says_that_stripe_is_away_and_then_what_came_of_it(self, key, document, monkeypatch):
        lost(monkeypatch)
        assert self.post(key, document).status_code == 503
        monkeypatch.undo()
        assert self.post(key, document).json()["status"] == "paid"

    def test_needs_a_key_and_one_of_ours(self, key, document):
        assert self.post(key, document, "").status_code == 400
        other = open_invoice_of(make_organization(name="Other"))
        assert self.post(key, other).status_code == 404
        assert key.get(f"/api/v1/billing-history/{other.public_id}").status_code == 404


def open_invoice_of(organization):
    """Return an open invoice that Stripe knows nothing of."""
    return BillingDocument.objects.create(
        organization=organization,
        kind="invoice",
        stripe_id=f"in_{organization.slug}",
        amount=1,
        amount_due=1,
        currency="eur",
        status="open",
        issued_at=clock.database_now(),
    )


def test_staff_look(organization):
    document = open_invoice_of(organization)
    attempt = ask(document)
    staff = signed_in(make_person(is_staff=True, is_superuser=True))
    assert attempt.public_id in staff.get("/admin/billing/invoiceattempt/").content.decode()
    place = f"/admin/billing/invoiceattempt/{attempt.pk}/change/"
    assert staff.get(place).status_code == 200
    assert staff.post(place, {}).status_code == 403

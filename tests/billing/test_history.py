"""Billing history: invoices, receipts and credit notes are kept as Stripe says they are."""

import pytest
from django.db import transaction

from apps.billing.models import BillingDocument, Customer, Payment
from apps.billing.services import history
from apps.billing.services.customers import ensure_customer
from tests.billing.buying import again, buy, make_pack, press
from tests.billing.subscribing import Life, make_plan

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer(stripe, organization):
    return ensure_customer(organization=organization)


def invoice(stripe, customer, amount=1500, days=14):
    """Send a customer an invoice, as a dashboard does, and return it."""
    made = stripe.v1.invoices.create(
        {
            "customer": customer.stripe_id,
            "collection_method": "send_invoice",
            "days_until_due": days,
            "currency": "eur",
        }
    )
    stripe.v1.invoice_items.create(
        {
            "customer": customer.stripe_id,
            "invoice": made.id,
            "amount": amount,
            "currency": "eur",
            "description": "Help",
        }
    )
    return made


def document(**fields):
    return BillingDocument.objects.get(**fields)


class TestInvoices:
    def test_that_are_drafts_are_not_kept(self, stripe, customer):
        made = invoice(stripe, customer)
        stripe.v1.invoices.update(made.id, {"description": "Soon"})
        stripe.tell()
        assert not BillingDocument.objects.exists()

    def test_that_are_final_are_kept_with_their_links(self, stripe, organization, customer):
        made = invoice(stripe, customer)
        final = stripe.v1.invoices.finalize_invoice(made.id)
        stripe.tell()

        found = document()
        assert (found.kind, found.stripe_id, found.number) == ("invoice", made.id, final.number)
        assert (found.organization, found.status) == (organization, "open")
        assert (found.amount, found.tax, found.currency) == (1500, 0, "eur")
        assert (found.amount_due, found.paid_at) == (1500, None)
        assert found.due_at is not None
        assert found.due_at > found.issued_at
        assert found.hosted_url == final.hosted_invoice_url
        assert found.pdf_url == final.invoice_pdf

    def test_that_are_void_owe_nothing(self, stripe, customer):
        made = invoice(stripe, customer)
        stripe.v1.invoices.finalize_invoice(made.id)
        stripe.v1.invoices.void_invoice(made.id)
        stripe.tell()
        assert (document().status, document().amount_due) == ("void", 0)

    def test_are_one_row_in_any_order_and_number(self, stripe, customer):
        made = invoice(stripe, customer)
        stripe.v1.invoices.finalize_invoice(made.id)
        stripe.v1.invoices.update(made.id, {"metadata": {"seen": "yes"}})
        news = stripe.news()
        stripe.told = 0
        assert len(news) > 2
        stripe.tell("invoice.updated")
        stripe.told = 0
        stripe.tell()
        assert document().status == "open"

    def test_that_are_paid_do_not_become_open_again(self, stripe, organization, customer):
        made = invoice(stripe, customer)
        older = stripe.v1.invoices.finalize_invoice(made.id)
        stripe.v1.invoices.pay(made.id, {"paid_out_of_band": True})
        newer = stripe.v1.invoices.retrieve(made.id)
        with transaction.atomic():
            history.note_invoice(organization, newer.to_dict())
            history.note_invoice(organization, older.to_dict())
        found = document()
        assert (found.status, found.amount_due) == ("paid", 0)
        assert found.paid_at is not None

    def test_of_nobody_of_ours_are_not_kept(self, stripe, customer):
        made = invoice(stripe, customer)
        Customer.objects.update(stripe_id="cus_other")
        stripe.v1.invoices.finalize_invoice(made.id)
        stripe.tell()
        assert not BillingDocument.objects.exists()

    def test_of_a_subscription_name_their_payment_at_once(self, stripe, settings):
        """One event is enough, for the payment and for the document."""
        settings.MOVABLE_CLOCK = True
        life = Life(stripe)
        life.press(life.begin(make_plan(stripe)))
        life.tell("invoice.paid")

        assert document(kind="invoice").payment == Payment.objects.get(purpose="invoice")

    def test_name_the_payment_that_paid_them(self, stripe, organization, customer):
        made = invoice(stripe, customer)
        final = stripe.v1.invoices.finalize_invoice(made.id)
        payment = Payment.objects.create(
            organization=organization,
            purpose="invoice",
            amount=1500,
            currency="eur",
            is_live=False,
            stripe_invoice_id=made.id,
        )
        with transaction.atomic():
            history.note_invoice(organization, final.to_dict())
        assert document().payment == payment

    def test_are_for_the_time_of_their_lines(self, stripe, organization, customer):
        made = invoice(stripe, customer)
        final = stripe.v1.invoices.finalize_invoice(made.id).to_dict()
        for line in final["lines"]["data"]:
            line["period"] = {"start": 1_800_000_000, "end": 1_802_592_000}
        with transaction.atomic():
            history.note_invoice(organization, final)
        found = document()
        assert found.period_start.timestamp() == 1_800_000_000
        assert found.period_end.timestamp() == 1_802_592_000


class TestCreditNotes:
    @pytest.fixture
    def note(self, stripe, customer):
        made = invoice(stripe, customer)
        stripe.v1.invoices.finalize_invoice(made.id)
        return stripe.v1.credit_notes.create({"invoice": made.id, "amount": 500})

    def test_are_kept(self, stripe, organization, note):
        stripe.tell()

        found = document(kind="credit_note")
        assert (found.stripe_id, found.number, found.status) == (note.id, note.number, "issued")
        assert (found.amount, found.currency) == (500, "eur")
        assert found.organization == organization
        assert found.pdf_url == note.pdf
        assert document(kind="invoice").amount_due == 1000

    def test_that_are_void_say_so(self, stripe, note):
        stripe.v1.credit_notes.void_credit_note(note.id)
        stripe.tell()
        assert document(kind="credit_note").status == "void"


class TestReceipts:
    def test_are_kept_for_what_was_paid(self, stripe, organization):
        payment = buy(organization, make_pack())
        stripe.tell()
        assert not BillingDocument.objects.exists()
        press(payment)
        stripe.tell()

        found = document()
        settled = again(payment)
        assert (found.kind, found.status, found.payment) == ("receipt", "paid", settled)
        assert found.stripe_id == settled.stripe_payment_intent_id
        assert (found.amount, found.currency, found.amount_due) == (1900, "eur", 0)
        assert found.paid_at == settled.settled_at
        charge = stripe.v1.charges.list({"payment_intent": found.stripe_id}).data[0]
        assert charge.receipt_url
        assert found.hosted_url == charge.receipt_url

    def test_get_stripes_page_later_where_it_was_not_told(self, stripe, organization):
        payment = buy(organization, make_pack())
        press(payment)
        events = stripe.news()
        stripe.told = 0
        stripe.tell("payment_intent.succeeded")
        BillingDocument.objects.update(hosted_url="")
        stripe.told = 0
        stripe.tell("charge.succeeded", "charge.updated")
        assert any(event["type"] == "charge.succeeded" for event in events)
        assert document().hosted_url

    def test_keep_stripes_page_when_they_are_noted_without_it(self, stripe, organization):
        payment = buy(organization, make_pack())
        press(payment)
        stripe.tell()
        with transaction.atomic():
            history.note_receipt(again(payment))
        assert document().hosted_url

    def test_are_none_where_nothing_was_charged(self, stripe, organization):
        payment = buy(organization, make_pack())
        press(payment)
        stripe.tell()
        BillingDocument.objects.all().delete()
        settled = again(payment)
        settled.stripe_payment_intent_id = None
        with transaction.atomic():
            assert history.note_receipt(settled) is None
        assert not BillingDocument.objects.exists()

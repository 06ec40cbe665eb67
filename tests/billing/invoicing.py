"""An open invoice in tests, and asking for it to be paid with the saved card."""

from django.db import transaction

from apps.billing.models import BillingDocument, Customer
from apps.billing.services import invoice_attempts
from apps.billing.services.customers import ensure_customer


def open_invoice(stripe, organization, amount=1500, **terms):
    """Let Stripe send the organization an invoice, and return our document of it."""
    customer = ensure_customer(organization=organization).stripe_id
    made = stripe.v1.invoices.create(
        {"customer": customer, "collection_method": "send_invoice", "days_until_due": 14, **terms}
    )
    stripe.v1.invoice_items.create(
        {"customer": customer, "invoice": made.id, "amount": amount, "currency": "eur"}
    )
    stripe.v1.invoices.finalize_invoice(made.id)
    stripe.tell()
    return BillingDocument.objects.get(stripe_id=made.id)


def ask(document, user=None):
    """Write down that it shall be paid."""
    with transaction.atomic():
        return invoice_attempts.request(
            organization=document.organization, user=user, document_id=document.pk
        )


def pay(document, user=None):
    """Do what a click does."""
    return invoice_attempts.resume(document.organization, ask(document, user).pk)


def use_card(stripe, organization, card):
    """Let the customer pay with another card."""
    customer = Customer.objects.get(organization=organization).stripe_id
    method = stripe.v1.payment_methods.attach(card, {"customer": customer})
    stripe.v1.customers.update(
        customer, {"invoice_settings": {"default_payment_method": method.id}}
    )
    stripe.tell()

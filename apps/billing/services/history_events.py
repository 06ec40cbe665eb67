"""
What Stripe tells of invoices, credit notes and charges, as far as it is history.

What an invoice does to a subscription is handled elsewhere, and one type has one handler:
those handlers call `history.note_invoice` themselves.
"""

from apps.billing.models import Payment
from apps.billing.services import history
from apps.billing.services.handling import News, NotKnownYet, handles
from apps.core import scope
from apps.tenants.models import Organization


@handles("invoice.finalized", "invoice.updated")
def follow_invoice(news: News) -> None:
    """
    Keep the invoice as it is now.

    :raises NotKnownYet: if the customer is none of ours, or not yet.
    """
    organization = _organization(news)
    with scope.within(organization.pk):
        history.note_invoice(organization, news.about)


@handles("credit_note.created", "credit_note.updated", "credit_note.voided")
def follow_credit_note(news: News) -> None:
    """
    Keep the credit note as it is now.

    :raises NotKnownYet: if the customer is none of ours, or not yet.
    """
    organization = _organization(news)
    with scope.within(organization.pk):
        history.note_credit_note(organization, news.about)


@handles("charge.succeeded", "charge.updated")
def follow_receipt(news: News) -> None:
    """
    Add Stripe's page to the receipt of a payment that is settled.

    Whatever is settled later brings its charge along, so nothing has to wait here.
    """
    intent = news.about.get("payment_intent")
    if news.customer is None or not intent or not news.about["paid"]:
        return
    with scope.within(news.customer.organization_id):
        found = Payment.objects.filter(
            stripe_payment_intent_id=intent, status=Payment.Status.SUCCEEDED
        ).first()
        if found is not None:
            history.note_receipt(found, news.about)


def _organization(news: News) -> Organization:
    if news.customer is None:
        raise NotKnownYet(f"no organization has the customer of {news.about['id']}")
    return news.customer.organization

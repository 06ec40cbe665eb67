"""
Invoices whose news never came: their subscription is asked for, and followed as news of it is.

What that does has keys of its own, so that a late event, or a second repair, does nothing more.
"""

from collections.abc import Mapping
from typing import Any

from apps.billing.errors import CaseNotRepairable
from apps.billing.gateway import receipts
from apps.billing.models import Customer, Payment
from apps.billing.services.handling import News, NotKnownYet
from apps.billing.services.subscription_events import follow_subscription, subscription_of
from apps.billing.services.subscriptions import following
from apps.core.db import inside_transaction, outside_transaction

Json = Mapping[str, Any]


@outside_transaction
def ask_for(intent_id: str) -> Json:
    """
    Return the invoice that an intent paid, with its subscription and what else that was billed.

    :raises CaseNotRepairable: if it paid no invoice of a subscription.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    invoice = receipts.invoice_of(intent_id)
    subscription_id = subscription_of(invoice) if invoice else ""
    if invoice is None or not subscription_id:
        raise CaseNotRepairable
    return {**ask_with(invoice, subscription_id), "invoice": invoice}


@outside_transaction
def ask_with(invoice: Json, subscription_id: str) -> Json:
    """Ask for a subscription as news of it are, with this invoice among its own, however old."""
    whole = following.ask_for(subscription_id)
    others = [one for one in whole["invoices"] if one["id"] != invoice["id"]]
    return {**whole, "invoices": [*others, invoice]}


@inside_transaction
def follow(*, customer: Customer | None, told: Json, intent_id: str) -> Payment:
    """
    Write down what `ask_for` was told, and return the payment of the invoice, settled.

    The customer is locked.

    :raises CaseNotRepairable: if the subscription is none of the customer's, or it is not paid.
    :raises Overtaken: if newer news were written down since it was asked for.
    """
    invoice = told["invoice"]
    try:
        follow_subscription(News("invoice.paid", about=told, told=invoice, customer=customer))
    except NotKnownYet as error:
        raise CaseNotRepairable from error
    payment = Payment.objects.filter(
        stripe_invoice_id=invoice["id"],
        stripe_payment_intent_id=intent_id,
        status=Payment.Status.SUCCEEDED,
    ).first()
    if payment is None:
        raise CaseNotRepairable
    return payment

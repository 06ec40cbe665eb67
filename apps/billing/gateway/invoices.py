"""Invoices at Stripe that somebody wants to pay now."""

from apps.billing.gateway.client import Json, ask


def pay_invoice(*, key: str, invoice_id: str, payment_method: str) -> Json:
    """
    Charge an open invoice to this card, while the customer is there; else to Stripe's choice.

    :raises PaymentDeclined: if the bank said no.
    :raises AuthenticationNeeded: if the bank wants to see the customer.
    :raises StripeRefused: if it cannot be paid, is paid already, or there is no card.
    :raises StripeUnavailable: if nobody knows whether it was paid.
    """
    params: Json = {"off_session": False}
    if payment_method:  # else the subscription's own card would come before the one that is shown
        params = {**params, "payment_method": payment_method}
    return ask(lambda stripe, options: stripe.invoices.pay(invoice_id, params, options), key=key)

"""Invoices at Stripe that somebody wants to pay now."""

from apps.billing.gateway.client import Json, ask


def pay_invoice(*, key: str, invoice_id: str) -> Json:
    """
    Charge an open invoice to the card that Stripe charges it to, while the customer is there.

    :raises PaymentDeclined: if the bank said no.
    :raises AuthenticationNeeded: if the bank wants to see the customer.
    :raises StripeRefused: if it cannot be paid, is paid already, or there is no card.
    :raises StripeUnavailable: if nobody knows whether it was paid.
    """
    params = {"off_session": False}
    return ask(lambda stripe, options: stripe.invoices.pay(invoice_id, params, options), key=key)

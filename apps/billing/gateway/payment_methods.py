"""Saved cards and other ways to pay at Stripe: which there are, and taking one off."""

from apps.billing.gateway.client import Json, ask

MOST = 100  # of one customer; nobody has as many


def list_methods(customer: str) -> list[Json]:
    """
    Return what a customer has saved, the newest first.

    :raises StripeUnavailable: if Stripe does not answer.
    """
    found: list[Json] = ask(
        lambda stripe, options: stripe.customers.payment_methods.list(
            customer, {"limit": MOST}, options
        )
    )["data"]
    return found


def detach(method: str) -> Json:
    """
    Take a payment method off its customer, for good.

    :raises StripeRefused: if it is nobody's by now.
    :raises StripeUnavailable: if nobody knows whether it was done.
    """
    return ask(lambda stripe, options: stripe.payment_methods.detach(method, {}, options))


def charge_subscription(*, subscription: str, payment_method: str) -> Json:
    """
    Let a subscription be charged to this payment method from its next invoice on.

    :raises StripeRefused: if it cannot be.
    :raises StripeUnavailable: if nobody knows whether it was done.
    """
    params = {"default_payment_method": payment_method}
    return ask(lambda stripe, options: stripe.subscriptions.update(subscription, params, options))

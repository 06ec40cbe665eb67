"""Stripe's pages for paying and for saving a card, and its portal."""

from apps.billing.gateway import objects
from apps.billing.gateway.client import Json, ask


def create_session(*, key: str, question: Json) -> Json:
    """
    Make a Checkout session; the same key must always come with the same question.

    :raises StripeRefused: if it cannot be; nothing was made.
    :raises StripeUnavailable: if nobody knows whether it was made.
    """
    return ask(lambda stripe, options: stripe.checkout.sessions.create(question, options), key=key)


def retrieve_session(session_id: str) -> Json:
    """
    Return a session as it is now, with its payment intent whole where it has one.

    :raises StripeRefused: if there is no such session.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    return with_intent(objects.retrieve("checkout.session", session_id))


def with_intent(session: Json) -> Json:
    """Put the payment or setup intent into a session where it only names it."""
    found = {
        kind: objects.retrieve(kind, session[kind])
        for kind in ("payment_intent", "setup_intent")
        if isinstance(session.get(kind), str)
    }
    return {**session, **found}


def expire_session(session_id: str) -> Json:
    """
    End a session that is open, so that nobody can pay it any more.

    :raises StripeRefused: if it is open no more.
    """
    return ask(lambda stripe, options: stripe.checkout.sessions.expire(session_id, {}, options))


def create_setup(
    *, customer: str, currency: str, success_url: str, cancel_url: str, key: str = ""
) -> str:
    """
    Return the address of a page of Stripe's that saves a card as the one that is charged.

    With a key, repeated, it is the same page for a day.
    """
    question = {
        "mode": "setup",
        "customer": customer,
        "currency": currency,
        "success_url": success_url,
        "cancel_url": cancel_url,
        "metadata": {"coffer_card": "default"},
        "setup_intent_data": {"metadata": {"coffer_card": "default"}},
    }
    made = ask(lambda stripe, options: stripe.checkout.sessions.create(question, options), key=key)
    return str(made["url"])


def create_portal(*, customer: str, return_url: str) -> str:
    """
    Return the address of Stripe's portal for a customer.

    Whoever has it is let in for a short time: it is never stored and never logged.
    """
    question = {"customer": customer, "return_url": return_url}
    made = ask(lambda stripe, options: stripe.billing_portal.sessions.create(question, options))
    return str(made["url"])


def charge_from_now_on(*, customer: str, payment_method: str, key: str = "") -> Json:
    """Let a customer's saved card be the one that is charged; return the customer."""
    question = {
        "invoice_settings": {"default_payment_method": payment_method},
        "expand": ["invoice_settings.default_payment_method"],
    }
    return ask(
        lambda stripe, options: stripe.customers.update(customer, question, options), key=key
    )

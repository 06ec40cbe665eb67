"""What Stripe tells of Checkout sessions in which something is bought once."""

from apps.billing.gateway import checkout as gateway
from apps.billing.gateway import objects
from apps.billing.models import Payment
from apps.billing.services import subscription_events
from apps.billing.services.checkout import follow_session
from apps.billing.services.handling import Json, News, NotKnownYet, handles
from apps.core import scope

TYPES = [
    f"checkout.session.{name}"
    for name in ("completed", "async_payment_succeeded", "async_payment_failed", "expired")
]


def session_as_it_is_now(told: Json) -> Json:
    """Ask for the session and for its intent: both are as they are now, whatever was told."""
    if told["mode"] != "payment":
        return told
    return gateway.with_intent(objects.retrieve("checkout.session", told["id"]))


@handles(*TYPES, fetch=session_as_it_is_now)
def follow_checkout(news: News) -> None:
    """
    Bring the payment to where its session is now.

    Sessions that save a card tell nothing here that their setup intent does not tell by events
    of its own; those that begin a subscription tell only that nobody paid.

    :raises NotKnownYet: if the customer or the payment is none of ours, or not yet.
    """
    session = news.about
    if session["mode"] == "subscription":
        subscription_events.follow_session(news)
    if session["mode"] != "payment":
        return
    if news.customer is None:
        raise NotKnownYet(f"no organization has the customer of {session['id']}")
    with scope.within(news.customer.organization_id):
        follow_session(payment=payment_of(session), session=session)


def payment_of(session: Json) -> Payment:
    """
    Return the organization's payment that a session is for.

    :raises NotKnownYet: if there is none, or not yet.
    """
    found = Payment.objects.filter(stripe_session_id=session["id"]).first()
    if found is None:
        named = Payment.read_id((session.get("metadata") or {}).get("coffer_payment", ""))
        unclaimed = Payment.objects.filter(pk=named, stripe_session_id=None) if named else None
        found = unclaimed.first() if unclaimed is not None else None
    if found is None:
        raise NotKnownYet(f"no payment has the session {session['id']}")
    return found

"""What Stripe tells of payment intents."""

from apps.billing.models import Payment
from apps.billing.services import payments
from apps.billing.services.handling import News, NotKnownYet, handles
from apps.core import scope

TYPES = [
    f"payment_intent.{name}"
    for name in ("succeeded", "payment_failed", "processing", "requires_action", "canceled")
]


@handles(*TYPES)
def follow_payment(news: News) -> None:
    """
    Bring the payment to where its intent is now.

    :raises NotKnownYet: if the customer or the payment is none of ours, or not yet.
    """
    if news.customer is None:
        raise NotKnownYet(f"no organization has the customer of {news.about['id']}")
    with scope.within(news.customer.organization_id):
        payment = payment_of(news.about)
        if _awaits_its_tax(payment, news.about):
            raise NotKnownYet(f"the tax of {payment.public_id} is told with its session")
        payments.follow(payment=payment, intent=news.about)


def _awaits_its_tax(payment: Payment, intent: payments.Json) -> bool:
    """Tell whether more was paid than we know of: Checkout tells the tax with its session."""
    has_session = payment.stripe_session_id is not None
    is_paid = intent["status"] == "succeeded" and payment.status != Payment.Status.SUCCEEDED
    return has_session and is_paid and intent["amount_received"] != payment.amount + payment.tax


def payment_of(intent: payments.Json) -> Payment:
    """
    Return the organization's payment that an intent is for.

    :raises NotKnownYet: if there is none, or not yet.
    """
    named = Payment.read_id((intent.get("metadata") or {}).get("coffer_payment", ""))
    found = Payment.objects.filter(stripe_payment_intent_id=intent["id"]).first()
    if found is None and named is not None:
        found = Payment.objects.filter(pk=named, stripe_payment_intent_id=None).first()
    if found is None:
        raise NotKnownYet(f"no payment has the intent {intent['id']}")
    return found

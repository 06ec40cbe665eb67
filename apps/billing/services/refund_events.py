"""What Stripe tells of refunds."""

from apps.billing.gateway import refunds as gateway
from apps.billing.models import Payment
from apps.billing.services import refunds
from apps.billing.services.handling import Json, News, NotKnownYet, handles
from apps.billing.services.reversals import lock_payment
from apps.core import scope


@handles("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
def follow_refund(news: News) -> None:
    """
    Bring a refund, its payment and its credits to where the refund is now.

    :raises NotKnownYet: if the payment is none of ours, or is not known to be paid yet.
    """
    payment = payment_of(news.about)
    with scope.within(payment.organization_id):
        refunds.follow(payment=lock_payment(payment.pk), told=dict(news.about))


def all_of_charge(told: Json) -> Json:
    """Ask for the refunds of a charge: the charge itself does not tell how they stand."""
    return {**told, "refunds": gateway.list_refunds(charge=told["id"])}


@handles("charge.refunded", fetch=all_of_charge)
def follow_refunds(news: News) -> None:
    """
    Bring all refunds of a charge to where they are now.

    Its event is about the customer, and those of its refunds about the payment: they may be
    handled at the same time, in any order. No status is ever left for an earlier one.

    :raises NotKnownYet: if the payment is none of ours, or is not known to be paid yet.
    """
    payment = payment_of(news.about)
    with scope.within(payment.organization_id):
        locked = lock_payment(payment.pk)
        for told in reversed(news.about["refunds"]):
            refunds.follow(payment=locked, told=told)


def payment_of(about: Json) -> Payment:
    """
    Return the paid payment that a refund, charge or dispute is of.

    :raises NotKnownYet: if there is none, or it is not known to be paid yet.
    """
    intent = about.get("payment_intent") or ""
    if not isinstance(intent, str):
        intent = intent["id"]
    everywhere = Payment.objects.across_organizations("Stripe names the payment alone")
    found = everywhere.filter(stripe_payment_intent_id=intent).first() if intent else None
    if found is None or found.status != Payment.Status.SUCCEEDED:
        raise NotKnownYet(f"no settled payment has the intent of {about['id']}")
    return found

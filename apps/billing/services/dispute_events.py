"""What Stripe tells of disputes."""

from apps.billing.services import disputes
from apps.billing.services.handling import News, handles
from apps.billing.services.refund_events import payment_of
from apps.billing.services.reversals import lock_payment
from apps.core import scope

TYPES = [
    f"charge.dispute.{name}"
    for name in ("created", "updated", "funds_withdrawn", "funds_reinstated", "closed")
]


@handles(*TYPES)
def follow_dispute(news: News) -> None:
    """
    Bring a dispute, its payment and its credits to where the dispute is now.

    :raises NotKnownYet: if the payment is none of ours, or is not known to be paid yet.
    """
    payment = payment_of(news.about)
    with scope.within(payment.organization_id):
        disputes.follow(payment=lock_payment(payment.pk), told=dict(news.about))

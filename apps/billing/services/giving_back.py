"""Give money back that was paid for what is not to be had any more, without being asked to."""

from apps.billing.models import Payment, Refund
from apps.billing.services.refunds import record_change
from apps.core.clock import workers_now
from apps.core.db import inside_transaction
from apps.core.queue import enqueue


@inside_transaction
def give_back(*, payment: Payment, why: str) -> Refund:
    """
    Write down that the whole of a locked payment goes back, and that the customer is told.

    Whoever settles a payment does so in the same transaction, so that no crash comes between.
    Stripe is asked by the sweep of refunds, with the row's id as the key; where it refuses,
    reconciliation has a case. `why` is for staff.
    """
    refund = Refund(
        organization_id=payment.organization_id,
        payment=payment,
        amount=payment.amount + payment.tax,
        reason=Refund.Reason.UNDELIVERABLE,
        note=why,
        mail_due_at=workers_now(),
    )
    refund.save(force_insert=True)
    record_change("refund.requested", refund, reason=why)
    enqueue("core.send_mails", queue="refunds")
    return refund

"""Refusals of refunds."""

from apps.core.errors import DomainError


class PaymentNotRefundable(DomainError):
    """Nothing was paid, so nothing can be given back."""

    code = "payment_not_refundable"
    title = "The payment cannot be refunded"
    message = "This payment is {payment_status}. Only one that succeeded can be refunded."
    status = 409


class PaymentRefunded(DomainError):
    """All of it was given back, or is asked back, already."""

    code = "payment_refunded"
    title = "The payment is refunded already"
    message = "All of this payment is refunded, or its refund is under way."
    status = 409


class RefundTooLarge(DomainError):
    """No more can be given back than is left."""

    code = "refund_too_large"
    title = "The amount cannot be refunded"
    message = "Of this payment 1 to {left} minor units of {currency} can be refunded."


class PaymentDisputed(DomainError):
    """The bank has the money: what Stripe gave back as well would be lost twice."""

    code = "payment_disputed"
    title = "The payment is disputed"
    message = (
        "The cardholder's bank has taken this payment back, so it cannot be refunded as well. "
        "Answer the dispute at Stripe, or accept it there."
    )
    status = 409


class RefundDiffers(DomainError):
    """The same form was sent twice, with different contents."""

    code = "refund_differs"
    title = "The form was sent before"
    message = "This form was sent before with other values. Open a new one."

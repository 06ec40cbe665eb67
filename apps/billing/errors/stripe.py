"""What Stripe says no to, or does not say; and deliveries that are not its."""

from apps.core.errors import DomainError


class BillingNotConfigured(DomainError):
    """There is no key for Stripe: nothing can be bought."""

    code = "billing_not_configured"
    title = "Billing is not configured"
    message = (
        "Billing is not configured here, so nothing can be bought. Ask whoever runs this site."
    )
    status = 503


class StripeUnavailable(DomainError):
    """Stripe gave no answer that says whether it did what it was asked: it may have."""

    code = "stripe_unavailable"
    title = "Stripe does not answer"
    message = (
        "Stripe does not answer now. What it was to do is written down and asked again by itself: "
        "look at it in a minute. What you only wanted to see, ask for again."
    )
    status = 503


class StripeRefused(DomainError):
    """Stripe understood and did nothing: the request cannot be, or no longer."""

    code = "stripe_refused"
    title = "Stripe refused"
    message = "Stripe refused this: {reason}"
    status = 409


class PaymentDeclined(DomainError):
    """The bank said no. `decline_code` is Stripe's; `payment_intent` is the one that failed."""

    code = "payment_declined"
    title = "The payment was declined"
    message = "The payment was declined: {reason} Try another card, or ask the bank."
    status = 402


class AuthenticationNeeded(DomainError):
    """The bank wants to see the customer before it pays."""

    code = "authentication_needed"
    title = "The bank asks for a confirmation"
    message = "The bank asks for a confirmation of this payment. Open its page and confirm it."
    status = 402


class SignatureRefused(DomainError):
    """A delivery was not signed with one of our secrets, or not within five minutes of now."""

    code = "signature_refused"
    title = "The signature is not right"
    message = (
        "The signature is not right. Compare STRIPE_WEBHOOK_SECRETS with the endpoint's secret at "
        "Stripe, and this machine's clock with the time."
    )


class WrongMode(DomainError):
    """An event of live mode came to a test instance, or the other way round."""

    code = "wrong_mode"
    title = "Live and test mode do not match"
    message = "This instance takes events of {expected} mode only. Send this endpoint no others."


class DeliveryTooLarge(DomainError):
    """A delivery is larger than any event of Stripe's."""

    code = "delivery_too_large"
    title = "The delivery is too large"
    message = "A delivery may have {limit} bytes at most."
    status = 413

"""What billing refuses, and what Stripe says no to."""

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


class PaymentDiffers(DomainError):
    """What was paid is not what we asked for: nothing was granted, and staff has to look."""

    code = "payment_differs"
    title = "Another amount was paid"
    message = "For payment {payment} another amount was paid than was asked for."
    status = 409


class NotForSale(DomainError):
    """There is no such pack, or it is offered no more; or no amounts of one's own choice are."""

    code = "not_for_sale"
    title = "Not for sale"
    message = "This is not offered, or no longer. Look at what is offered now."
    status = 409


class PriceChanged(DomainError):
    """The buyer was shown another price or other terms than hold now."""

    code = "price_changed"
    title = "The price has changed"
    message = "The price or the terms have changed since they were shown. Look at them again."
    status = 409


class AmountNotOffered(DomainError):
    """Fewer or more credits than are sold at once."""

    code = "amount_not_offered"
    title = "This many credits are not sold at once"
    message = "Buy from {minimum} to {maximum} credits at once."
    status = 422


class CatalogueNameTaken(DomainError):
    """Another plan or pack has this code or name."""

    code = "catalogue_name_taken"
    title = "The code or name is taken"
    message = "There is already one with the {field} {value}. Choose another {field}."
    status = 409


class TermsRefused(DomainError):
    """A version of a plan or pack cannot be as it was given."""

    code = "terms_refused"
    title = "These terms cannot be"
    message = "{field}: {reason}"


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


class PlanNotOffered(DomainError):
    """There is no such plan, it is offered no more, or it cannot be had in this way."""

    code = "plan_not_offered"
    title = "This plan is not offered"
    message = "This plan is not offered, or no longer. Look at what is offered now."
    status = 409


class QuantityNotOffered(DomainError):
    """The plan is not bought for so many units, or not by units at all."""

    code = "quantity_not_offered"
    title = "The plan is not sold for this quantity"
    message = "Leave the quantity {allowed}."
    status = 422


class AlreadySubscribed(DomainError):
    """The organization has a plan: that is changed, and no second one begun."""

    code = "already_subscribed"
    title = "There is a subscription"
    message = "The organization is subscribed to {plan}. Change that plan instead."
    status = 409


class NotSubscribed(DomainError):
    """The organization has no plan."""

    code = "not_subscribed"
    title = "There is no subscription"
    message = "The organization has no subscription. Choose a plan first."
    status = 409


class ChangeNotPossible(DomainError):
    """What was asked does not fit how the subscription stands."""

    code = "change_not_possible"
    title = "The subscription cannot be changed so"
    message = "The subscription cannot be changed so: {reason}"
    status = 409


class ChangeUnderWay(DomainError):
    """Something else is being asked of the subscription."""

    code = "change_under_way"
    title = "Another change is under way"
    message = "Another change of the subscription is under way. Try again in a minute."
    status = 409


class BillingUnderWay(DomainError):
    """Money may still come for an organization that is to be closed."""

    code = "billing_under_way"
    title = "Money is still to come"
    message = "{reason}"
    status = 409


class CaseClosed(DomainError):
    """Somebody repaired or dismissed the case, or a later run did not find it any more."""

    code = "case_closed"
    title = "The case is closed"
    message = "This case is open no more. Load it again, and see what became of it."
    status = 409


class CaseNotRepairable(DomainError):
    """No entry of ours repairs it: no money came, or it has to be put right at Stripe."""

    code = "case_not_repairable"
    title = "No entry repairs this"
    message = (
        "No entry repairs this: Stripe does not say that it is paid, or for what was sold here. "
        "Put it right at Stripe or with a correction, and dismiss the case with the reason."
    )
    status = 409


class CaseOvertaken(DomainError):
    """While Stripe was asked for a repair, an event about the same subscription was handled."""

    code = "case_overtaken"
    title = "Newer news came meanwhile"
    message = "An event about this was handled while it was repaired. Nothing was done: try again."
    status = 409


class ReloadNotOffered(DomainError):
    """Automatic reload is not to be had here: no price, or a tax that it could not add."""

    code = "reload_not_offered"
    title = "Automatic reload is not offered"
    message = "Automatic reload is not offered here now. Buy credits yourself when you need them."
    status = 409


class CardNeeded(DomainError):
    """There is no saved card that could be charged."""

    code = "card_needed"
    title = "A saved card is needed"
    message = "Save a card first: automatic reload charges it while nobody is there."
    status = 409


class PaymentMethodInUse(DomainError):
    """Something is charged to the payment method that was to be removed. `what` says what."""

    code = "payment_method_in_use"
    title = "The payment method is in use"
    message = "{what} is charged to it. Make another one the default first, or end that."
    status = 409


class ConsentNeeded(DomainError):
    """Whoever turns it on has not agreed to what is charged. `text` is what he agrees to."""

    code = "consent_needed"
    title = "Agree to what is charged"
    message = "Agree to this first: {text}"
    status = 422


class ReloadTermsRefused(DomainError):
    """Threshold, amount or limit cannot be as they were given."""

    code = "reload_terms_refused"
    title = "Automatic reload cannot be set so"
    message = "{reason}"
    status = 422

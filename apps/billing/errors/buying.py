"""Refusals of what is sold, bought and paid."""

from apps.core.errors import DomainError


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

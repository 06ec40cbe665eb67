"""Ask for any object as it is now, by its id and kind."""

from typing import Any

from apps.billing.gateway.client import Json, ask

# The service of the SDK that knows a kind of object, and what is to be sent with it.
_SERVICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "charge": ("charges", ()),
    "checkout.session": ("checkout.sessions", ()),
    "credit_note": ("credit_notes", ()),
    "customer": ("customers", ("invoice_settings.default_payment_method",)),
    "dispute": ("disputes", ()),
    "invoice": ("invoices", ("payments",)),
    "invoice_payment": ("invoice_payments", ()),
    "payment_intent": ("payment_intents", ("latest_charge",)),
    "payment_method": ("payment_methods", ()),
    "price": ("prices", ()),
    "product": ("products", ()),
    "refund": ("refunds", ()),
    "setup_intent": ("setup_intents", ()),
    "subscription": ("subscriptions", ()),
    "subscription_schedule": ("subscription_schedules", ()),
}


def knows(kind: str) -> bool:
    """Tell whether objects of this kind can be asked for."""
    return kind in _SERVICES


def retrieve(kind: str, object_id: str) -> Json:
    """
    Return the object as it is now; `kind` is its own word for it (`checkout.session`).

    :raises StripeRefused: if there is no such object.
    :raises StripeUnavailable: if Stripe does not answer.
    """
    path, expanded = _SERVICES[kind]

    def question(stripe: Any, options: Any) -> Any:
        service = stripe
        for name in path.split("."):
            service = getattr(service, name)
        return service.retrieve(object_id, {"expand": list(expanded)} if expanded else {}, options)

    return ask(question)

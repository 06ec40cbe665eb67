"""What Stripe tells of the cards that customers pay with."""

from collections.abc import Mapping

from apps.billing.gateway import checkout as gateway
from apps.billing.gateway import objects
from apps.billing.models import Customer
from apps.billing.services.cards import keep_card
from apps.billing.services.handling import Json, News, NotKnownYet, handles
from apps.core import scope

CHANGES = [
    "customer.updated",
    *(
        f"payment_method.{name}"
        for name in ("attached", "detached", "updated", "automatically_updated")
    ),
]


def customer_as_it_is_now(told: Json) -> Json:
    """Ask for the customer, with the card that is charged; what has none is returned as told."""
    customer = told["id"] if told["object"] == "customer" else told.get("customer")
    return objects.retrieve("customer", customer) if customer else told


def make_it_the_one(told: Json) -> Json:
    """
    Let a card that was saved by our button be charged from now on; return the customer.

    Saved elsewhere, as in the portal or by a subscription, a card is what it was made there.
    """
    intent = objects.retrieve("setup_intent", told["id"])
    is_ours = (intent.get("metadata") or {}).get("coffer_card") == "default"
    if is_ours and intent["status"] == "succeeded" and intent.get("customer"):
        gateway.charge_from_now_on(
            customer=intent["customer"],
            payment_method=intent["payment_method"],
            key=f"default:{intent['id']}",
        )
    return customer_as_it_is_now(intent)


@handles(*CHANGES, fetch=customer_as_it_is_now)
def follow_card(news: News) -> None:
    """
    Write down the card that the customer pays with now.

    :raises NotKnownYet: if the customer is none of ours, or not yet.
    """
    if news.about["object"] == "payment_method":  # belongs to nobody any more
        _forget(news.about["id"])
        return
    _keep(news)


@handles("setup_intent.succeeded", fetch=make_it_the_one)
def follow_saved_card(news: News) -> None:
    """
    Write down the card that was saved.

    :raises NotKnownYet: if the customer is none of ours, or not yet.
    """
    if news.about["object"] == "customer":
        _keep(news)


def _keep(news: News) -> None:
    if news.customer is None:
        raise NotKnownYet(f"no organization has the customer {news.about['id']}")
    method = (news.about.get("invoice_settings") or {}).get("default_payment_method")
    if news.about.get("deleted"):
        method = None
    with scope.within(news.customer.organization_id):
        keep_card(customer=news.customer, method=method if isinstance(method, Mapping) else None)


def _forget(method_id: str) -> None:
    """Forget a card that was taken off its customer, if it was the one that is charged."""
    found = Customer.objects.select_for_update().filter(payment_method_id=method_id).first()
    if found is not None:
        with scope.within(found.organization_id):
            keep_card(customer=found, method=None)

"""What Stripe tells of subscriptions and of their invoices."""

from collections.abc import Mapping

from apps.billing.services.handling import Json, News, NotKnownYet, handles
from apps.billing.services.history import note_invoice
from apps.billing.services.subscriptions import abandoning, following
from apps.core import scope

SUBSCRIPTIONS = [
    f"customer.subscription.{name}"
    for name in ("created", "updated", "deleted", "paused", "resumed", "trial_will_end")
]
INVOICES = [
    f"invoice.{name}"
    for name in (
        "paid",
        "payment_failed",
        "payment_action_required",
        "voided",
        "marked_uncollectible",
    )
]


def whole_subscription(told: Json) -> Json:
    """Ask for the subscription that an event is about, and for its invoices."""
    subscription_id = subscription_of(told)
    return following.ask_for(subscription_id) if subscription_id else told


def subscription_of(told: Json) -> str:
    """Return the id of the subscription that an object belongs to; empty if to none."""
    if told["object"] == "subscription":
        return str(told["id"])
    details = (told.get("parent") or {}).get("subscription_details") or {}
    found = details.get("subscription") or ""
    return str(found["id"] if isinstance(found, Mapping) else found)


@handles(*SUBSCRIPTIONS, *INVOICES, fetch=whole_subscription)
def follow_subscription(news: News) -> None:
    """
    Bring the subscription to where it is now, with its payments and the credits it gives.

    :raises NotKnownYet: if the customer or the subscription is none of ours, or not yet.
    """
    if news.customer is None:
        raise NotKnownYet(f"no organization has the customer of {subscription_of(news.told)}")
    with scope.within(news.customer.organization_id):
        if "subscription" in news.about:
            following.follow(customer=news.customer, whole=news.about)
        # After the payments, which the documents name; itself, if of nothing that renews.
        for invoice in news.about.get("invoices", [news.about]):
            note_invoice(news.customer.organization, invoice)


def follow_session(news: News) -> None:
    """
    End what was not begun, when Stripe's page for it has ended; called for mode `subscription`.

    One that was paid on tells nothing that its subscription does not tell by itself.

    :raises NotKnownYet: if the customer is none of ours, or not yet.
    """
    if news.customer is None:
        raise NotKnownYet(f"no organization has the customer of {news.about['id']}")
    if news.type == "checkout.session.expired":
        with scope.within(news.customer.organization_id):
            abandoning.give_up_session(customer=news.customer, session_id=news.about["id"])

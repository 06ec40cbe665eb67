"""One visit of the billing portal: who came in, and what they may see and change."""

from simulator.core.call import Call
from simulator.core.errors import no_such
from simulator.core.perform import perform
from simulator.core.values import Object
from simulator.pages import forms
from simulator.resources.billing_portal import CONFIGURATION, SESSION

# Which feature of the configuration each step needs.
FEATURE_OF = {
    "card": "payment_method_update",
    "default": "payment_method_update",
    "remove": "payment_method_update",
    "cancel": "subscription_cancel",
    "keep": "subscription_cancel",
    "change": "subscription_update",
    "details": "customer_update",
}
ENDED = ("canceled", "incomplete_expired")


class Visit:
    """What the link of a portal session lets one customer reach, and nothing else."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.session = call.tx.get(SESSION, call.path["session"])
        self.customer = call.tx.get("customer", self.session["customer"])
        configuration = call.tx.get(CONFIGURATION, self.session["configuration"])
        self.features: Object = configuration["features"]
        self.headline: str | None = configuration["business_profile"]["headline"]

    @property
    def has_ended(self) -> bool:
        """Whether the link is too old."""
        return bool(self.session["_until"] < self.call.tx.now())

    def allows(self, step: str) -> bool:
        """Say whether the configuration has this step."""
        feature = FEATURE_OF.get(step)
        return feature is not None and bool(self.features[feature]["enabled"])

    def url(self, step: str) -> str:
        """Return the address of a step below this session."""
        base = f"{self.call.tx.base_url}/p/session/{self.session['id']}"
        return f"{base}/{step}" if step else base

    def perform(self, method: str, path: str, **params: object) -> Object:
        """Do what a request of the shop's would do."""
        return perform(self.call.tx, method, path, **params)

    def cards(self) -> list[Object]:
        """Return the customer's cards, the newest first."""
        return forms.saved_methods(self.call.tx, self.customer["id"])

    def card(self, id_: str) -> Object:
        """
        Return one of the customer's cards.

        :raises StripeError: if it is not theirs.
        """
        return self._own("payment_method", id_)

    def subscriptions(self) -> list[Object]:
        """Return the customer's subscriptions that have not ended, the newest first."""
        found = self.call.tx.where("subscription", customer=self.customer["id"])
        return [one for one in found if one["status"] not in ENDED][::-1]

    def subscription(self, id_: str) -> Object:
        """
        Return one of the customer's subscriptions.

        :raises StripeError: if it is not theirs.
        """
        return self._own("subscription", id_)

    def items(self, subscription: Object) -> list[Object]:
        """Return a subscription's items as they look from outside."""
        items: list[Object] = self.call.tx.public(subscription)["items"]["data"]
        return items

    def invoices(self) -> list[Object]:
        """Return the customer's invoices that were sent, the newest first."""
        found = self.call.tx.where("invoice", customer=self.customer["id"])
        return [self.call.tx.public(one) for one in found if one["status"] != "draft"][::-1]

    def prices(self) -> list[Object]:
        """Return the prices to which a plan may be changed: the configured ones, or all."""
        tx = self.call.tx
        products = self.features["subscription_update"]["products"]
        if products is not None:
            return [tx.get("price", id_) for one in products for id_ in one["prices"]]
        return [one for one in tx.where("price", active=True) if one["recurring"] is not None]

    def _own(self, kind: str, id_: str) -> Object:
        found = self.call.tx.find(kind, id_)
        if found is None or found["customer"] != self.customer["id"]:
            raise no_such(kind, id_)
        return found

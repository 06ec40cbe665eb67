"""A shop that buys, subscribes, is declined, refunds and disputes, at the stand-in for Stripe."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import stripe

from apps.billing.models import Customer, Payment, PlanVersion
from apps.billing.services.customers import ensure_customer
from apps.billing.services.subscriptions import subscribing
from figures.stripe_served import Shop
from tests.billing.subscribing import make_plan
from tests.people import make_organization

ORGANIZATIONS = 40
GOOD, POOR, CONTESTED = (
    "pm_card_visa",
    "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_card_createDispute",
)


@dataclass
class GeneratedShop:
    """Organizations that are customers, and what they do, by chance."""

    shop: Shop
    chance: random.Random
    customers: list[Customer] = field(default_factory=list)
    paid: list[str] = field(default_factory=list)  # payment intents that may be refunded
    plans: list[PlanVersion] = field(default_factory=list)
    subscribers: list[str] = field(default_factory=list)  # customers who may change their minds

    def open(self) -> None:
        """Sell plans, and let the organizations be known to Stripe."""
        self.plans = [make_plan(self.shop, price=price) for price in (1900, 2900, 4900)]
        for number in range(ORGANIZATIONS):
            organization = make_organization(name=f"Shop {number}")
            self.customers.append(ensure_customer(organization=organization))

    def live(self, events: int) -> None:
        """Do things until Stripe has told so many events."""
        deeds: list[Callable[[], Any]] = [self.buy] * 10 + [self.give_back] * 4
        deeds += [self.decide] * 2 + [self.subscribe, self.change_plan]
        while len(self.shop.world.store.kinds["event"].rows) < events:
            self.chance.choice(deeds)()

    def buy(self) -> None:
        """Pay for credits; one in ten cards is refused, and one in ten payments disputed."""
        customer = self.chance.choice(self.customers)
        card = self.chance.choice([GOOD] * 8 + [POOR, CONTESTED])
        payment = Payment.objects.create(
            organization_id=customer.organization_id,
            purpose=Payment.Purpose.CUSTOM,
            credits=self.chance.randint(1, 500),
            amount=self.chance.randint(100, 9_000),
            currency="eur",
            is_live=False,
        )
        params = {
            "customer": customer.stripe_id,
            "amount": payment.amount,
            "currency": payment.currency,
            "payment_method": card,
            "payment_method_types": ["card"],
            "confirm": True,
            "metadata": {"coffer_payment": payment.public_id},
        }
        try:
            self.paid.append(self.shop.v1.payment_intents.create(params).id)
        except stripe.CardError:
            return

    def give_back(self) -> None:
        """Refund a part of a payment, or all that is left of it."""
        if not self.paid:
            return
        intent = self.shop.v1.payment_intents.retrieve(
            self.chance.choice(self.paid), {"expand": ["latest_charge"]}
        )
        left = intent.latest_charge.amount_captured - intent.latest_charge.amount_refunded
        if left and not intent.latest_charge.disputed:
            amount = self.chance.choice([left, self.chance.randint(1, left)])
            self.shop.v1.refunds.create({"payment_intent": intent.id, "amount": amount})

    def decide(self) -> None:
        """Win or lose the oldest dispute that is open."""
        open_ones = self.shop.v1.disputes.list({"limit": 100}).data
        waiting = [one for one in open_ones if one.status == "needs_response"]
        if waiting:
            words = self.chance.choice(["winning_evidence", "losing_evidence"])
            self.shop.v1.disputes.update(
                waiting[-1].id, {"evidence": {"uncategorized_text": words}, "submit": True}
            )

    def subscribe(self) -> None:
        """Let a new organization subscribe, and pay on Stripe's page."""
        organization = make_organization(name="Subscriber")
        plan = self.chance.choice(self.plans)
        row = subscribing.begin(organization=organization, version=plan)
        self.shop.press(subscribing.open_checkout(row).pay_url)
        self.subscribers.append(str(ensure_customer(organization=organization).stripe_id))

    def change_plan(self) -> None:
        """Change a subscription where Stripe's portal does: another plan, an end, or none."""
        if not self.subscribers:
            return
        customer = self.chance.choice(self.subscribers)
        row = self.shop.v1.subscriptions.list({"customer": customer}).data[0]
        match self.chance.randrange(4):
            case 0:
                price = str(self.chance.choice(self.plans).stripe_price_id)
                items = [{"id": row["items"].data[0].id, "price": price}]
                self.shop.v1.subscriptions.update(row.id, {"items": items})  # type: ignore[typeddict-item]
            case 1:
                self.shop.v1.subscriptions.update(row.id, {"cancel_at_period_end": True})
            case 2:
                self.shop.v1.subscriptions.update(row.id, {"cancel_at_period_end": False})
            case _:
                self.shop.v1.subscriptions.cancel(row.id)
                self.subscribers.remove(customer)

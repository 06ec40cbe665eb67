"""A shop that buys, is declined, gives back and disputes, all of it at the stand-in for Stripe."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import stripe

from apps.billing.models import Customer, Payment
from apps.billing.services.customers import ensure_customer
from figures.stripe_served import Shop
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

    def open(self) -> None:
        """Let the organizations be known to Stripe."""
        for number in range(ORGANIZATIONS):
            organization = make_organization(name=f"Shop {number}")
            self.customers.append(ensure_customer(organization=organization))

    def live(self, events: int) -> None:
        """Do things until Stripe has told so many events."""
        deeds: list[Callable[[], Any]] = [self.buy] * 5 + [self.give_back] * 2 + [self.decide]
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

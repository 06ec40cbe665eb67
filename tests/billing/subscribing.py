"""Plans, Stripe's clocks and Stripe's page, for tests of subscriptions."""

from datetime import UTC, datetime, timedelta
from itertools import count

from apps.billing.models import Customer, OrganizationSubscription, PlanVersion, SubscriptionPlan
from apps.billing.services.subscriptions import subscribing
from apps.core.clock import moved_to
from apps.credits.models import Lot, Wallet
from simulator.core.timers import run_due
from tests.people import make_organization
from tests.simulator.browsing import visit

_number = count(1)
START = datetime(2027, 1, 31, 12, tzinfo=UTC)
GOOD, DECLINED = "4242424242424242", "4000000000000002"
FAILS_LATER = "4000000000000341"


def make_plan(stripe, *, price=2900, **terms) -> PlanVersion:
    """Sell a plan: 500 credits for €29.00 a month, of which 100 may be carried over."""
    number = next(_number)
    name = terms.pop("name", f"Plan {number}")
    plan = SubscriptionPlan.objects.create(code=f"plan-{number}", name=name, position=number)
    fields = {
        "number": 1,
        "price": price,
        "currency": "eur",
        "interval": "month",
        "included_credits": 500,
        "rollover_cap": 100,
        "max_users": 5,
        "effective_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    version = PlanVersion(plan=plan, **fields | terms)
    if price:
        sold = stripe.v1.prices.create(
            {
                "currency": version.currency,
                "unit_amount": price,
                "recurring": {
                    "interval": version.interval,
                    "interval_count": version.interval_count,
                },
                "product_data": {"name": name},
            }
        )
        version.stripe_price_id, plan.stripe_product_id = sold.id, sold.product
        plan.save()
    version.save()
    return version


class Life:
    """An organization whose customer lives by a clock of Stripe's that a test moves."""

    def __init__(self, stripe, start: datetime = START) -> None:
        self.stripe = stripe
        self.now = start
        clocks = stripe.v1.test_helpers.test_clocks
        self.clock = clocks.create({"frozen_time": int(start.timestamp())})
        with moved_to(start - timedelta(hours=1)):
            self.organization = make_organization()
        self.customer = stripe.v1.customers.create({"test_clock": self.clock.id})
        Customer.objects.create(
            organization=self.organization, stripe_id=self.customer.id, is_live=False
        )

    def begin(self, version, quantity=1) -> OrganizationSubscription:
        """Choose a plan, as far as Stripe's page."""
        with self.here():
            row = subscribing.begin(
                organization=self.organization, version=version, quantity=quantity
            )
            return subscribing.open_checkout(row)

    def subscribe(self, version, quantity=1, card=GOOD) -> OrganizationSubscription:
        """Subscribe and pay."""
        row = self.begin(version, quantity)
        self.press(row, card)
        self.tell()
        return again(row)

    def press(self, row, card=GOOD):
        """Pay on Stripe's page, or try to."""
        return visit(row.pay_url, action="pay", card=card, email="buyer@example.com")

    def move(self, to: datetime, *, tells=True) -> None:
        """Let time pass at Stripe and here, and hear what Stripe tells of it."""
        clocks = self.stripe.v1.test_helpers.test_clocks
        clocks.advance(self.clock.id, {"frozen_time": int(to.timestamp())})
        run_due(self.stripe.server.world)
        self.now = to
        if tells:
            self.tell()

    def tell(self, *types):
        """Hear the news, at the moment that it is for this customer."""
        with self.here():
            return self.stripe.tell(*types)

    def here(self):
        """Let our clock be at the same moment as the customer's."""
        return moved_to(self.now)

    def wallet(self) -> Wallet:
        """Return the main wallet as it is."""
        return Wallet.objects.get(organization=self.organization, kind="organization")

    def cycle(self) -> list[tuple[int, int, int]]:
        """Return priority, granted and remaining of the plan's lots, the oldest first."""
        rows = Lot.objects.filter(organization=self.organization, kind="subscription")
        return list(rows.order_by("id").values_list("priority", "granted", "remaining"))


def again(row: OrganizationSubscription) -> OrganizationSubscription:
    """Read a subscription as it is now."""
    rows = OrganizationSubscription.objects.select_related("organization", "version__plan")
    return rows.get(pk=row.pk)

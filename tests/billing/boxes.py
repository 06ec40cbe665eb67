"""A sandbox, for tests: what its customer does, and how staff move its clock."""

from apps.billing.gateway import clocks
from apps.billing.selectors.sandboxes import events_ahead
from apps.billing.services import sandboxes
from apps.billing.services.subscriptions import subscribing
from apps.core import scope
from apps.credits.models import Lot, Wallet
from apps.credits.selectors import main_wallet
from apps.credits.services.grants import grant_credits
from apps.tenants.models import Organization
from simulator.core.timers import run_due
from tests.billing.subscribing import GOOD, again
from tests.people import make_organization
from tests.simulator.browsing import visit


def give_credits(organization, expires_at=None):
    """Give 30 credits."""
    grant_credits(
        wallet=main_wallet(organization),
        amount=30,
        kind=Lot.Kind.PROMOTIONAL,
        reference="gift",
        source="test",
        expires_at=expires_at,
    )


class Box:
    """An organization whose clock only staff move."""

    def __init__(self, stripe) -> None:
        self.stripe = stripe
        self.organization = make_organization()
        self.sandbox = sandboxes.begin(organization=self.organization, reason="To show it.")
        self.organization.refresh_from_db()

    @property
    def now(self):
        """Where its clock stands."""
        return Organization.objects.get(pk=self.organization.pk).clock_at

    def here(self):
        """Be in the organization, at its moment."""
        return scope.within(self.organization.pk, self.now)

    def subscribe(self, version, card=GOOD):
        """Subscribe and pay, and hear of it."""
        with self.here():
            row = subscribing.begin(organization=self.organization, version=version, quantity=1)
            row = subscribing.open_checkout(row)
        if row.pay_url:
            visit(row.pay_url, action="pay", card=card, email="buyer@example.com")
            self.stripe.tell()
        return again(row)

    def ahead(self):
        """Return what time will bring: the moment by its name."""
        return {one.name: one.at for one in events_ahead(self.organization, self.now)}

    def send(self, to):
        """Press the button."""
        return sandboxes.move(sandbox=self.sandbox, to=to, reason="To see what happens.")

    def move(self, to):
        """Press the button, and wait until the clock has arrived."""
        self.send(to)
        self.arrive()
        self.sandbox.refresh_from_db()
        assert (self.sandbox.moving_to, self.sandbox.error, self.now) == (None, "", to)

    def arrive(self):
        """Do what the worker and Stripe do in turn, until the clock stands."""
        while sandboxes.carry_on(self.sandbox.pk):
            run_due(self.stripe.server.world)
        self.stripe.tell()

    def stripe_goes_ahead(self, to):
        """Let Stripe's clock be somewhere where ours is not yet."""
        self.sandbox.refresh_from_db()
        while not clocks.has_reached(self.sandbox.stripe_clock_id, to, key="ahead of us"):
            run_due(self.stripe.server.world)

    def cycle(self):
        """Return priority, granted and remaining of the plan's lots, the oldest first."""
        rows = Lot.objects.filter(organization=self.organization, kind="subscription")
        return list(rows.order_by("id").values_list("priority", "granted", "remaining"))

    def wallet(self):
        """Return the main wallet as it is."""
        return Wallet.objects.get(organization=self.organization, kind="organization")

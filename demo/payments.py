"""
What Acme and another organization have bought, through the services and the simulator's pages.

Stripe is asked, so nothing here runs in a transaction. Each step looks first whether it was
done: one that was interrupted goes on where it was.
"""

from datetime import timedelta
from decimal import Decimal

import structlog
from django.db import transaction

from apps.billing.errors import StripeUnavailable
from apps.billing.gateway.client import is_simulated
from apps.billing.models import (
    Customer,
    OrganizationSubscription,
    Payment,
    ReconciliationCase,
    Refund,
)
from apps.billing.selectors.offers import pack_named
from apps.billing.selectors.reloads import Facts, card_of, reload_of
from apps.billing.selectors.subscriptions import offered_plan, present_of
from apps.billing.services import (
    cards,
    checkout,
    details,
    details_pushing,
    inbox,
    polling,
    purchases,
    reconciliation,
    refund_requests,
    reload_settings,
    reloads,
)
from apps.billing.services.customers import ensure_customer
from apps.billing.services.subscriptions import subscribing
from apps.capacity.models import Project, Reservation
from apps.capacity.selectors.picking import Wish
from apps.capacity.services import paying
from apps.capacity.services.reserving import reserve
from apps.core import context, ids, scope
from apps.core.clock import workers_now
from apps.tenants.models import Organization, User
from demo import stripe

logger = structlog.get_logger(__name__)
GOOD, DECLINED, DISPUTED = "4242424242424242", "4000000000000002", "4000000000000259"
SLOW_DEBIT = "AT321904300235473204"  # its bank takes three minutes
THRESHOLD = 500  # credits, of automatic reload
NO_GRACE = timedelta(minutes=-1)  # what is as young as this second is compared as well


def live() -> None:
    """Let money move where a simulator stands for Stripe; a second time nothing is left to do."""
    if not is_simulated():
        return
    acme = Organization.objects.get(slug="acme")
    owner = User.objects.get(email="owner@acme.test")
    try:
        with context.acting(actor=f"user:{owner.public_id}"):
            say_whom_to_bill(acme)
            save_a_card(acme)
            buy_packs(acme, owner)
            pay_by_debit(acme, owner)
            pay_for_blocks(acme, owner)
            subscribe(acme, "property", quantity=4)
            subscribe(Organization.objects.get(slug="green-neighbours"), "pro-annual")
            subscribe_in_sandbox()
            hear()
            reload_once(acme, owner)
        with context.acting(actor="system:demo"):
            refund_a_part(acme)
            hear()
            leave_a_difference(acme)
    except StripeUnavailable:
        logger.warning("demo_payments_unfinished")  # the next start goes on


def say_whom_to_bill(organization: Organization) -> None:
    """Give an organization its billing details, which its invoices have from then on."""
    with transaction.atomic():
        written = details.set_details(
            organization=organization,
            wanted=details.Wanted(
                legal_name="Acme Immobilien GmbH",
                line1="Hauptstraße 12",
                city="Berlin",
                postal_code="10115",
                country="DE",
                tax_id_type="eu_vat",
                tax_id="DE123456789",
                po_number="PO-2026-118",
                emails=("billing@acme.test", "office@acme.test"),
            ),
        )
    details_pushing.push(written)


def save_a_card(organization: Organization) -> None:
    """Save a card that goes through, as the one that is charged."""
    if card_of(organization) is None:
        stripe.press(cards.page_to_save_card(organization=organization), GOOD)
        hear()


def buy_packs(organization: Organization, user: User) -> None:
    """Buy three packs: one is paid, one is declined, and one is paid and then disputed."""
    for code, card in (("medium", GOOD), ("small", DECLINED), ("large", DISPUTED)):
        payment, version = bought(organization, code), pack_named(code)
        if payment is None and version is not None:
            with transaction.atomic():
                payment = purchases.buy_pack(
                    organization=organization, user=user, version_id=version.pk
                )
        if payment is None or payment.status not in Payment.IN_FLIGHT or payment.failure_code:
            continue
        payment = checkout.open_checkout(payment)
        stripe.press(payment.pay_url, card)
        checkout.look(payment)  # before the news: a dispute is of a payment that is settled


def bought(organization: Organization, code: str) -> Payment | None:
    """Return the organization's first payment for a pack, if there is one."""
    payments = Payment.objects.filter(organization=organization)
    return payments.filter(product_version__product__code=code).order_by("id").first()


def pay_by_debit(organization: Organization, user: User) -> None:
    """Buy an amount by a debit that the bank still works on, for some minutes."""
    payments = Payment.objects.filter(organization=organization, purpose=Payment.Purpose.CUSTOM)
    payment = payments.order_by("id").first()
    if payment is None:
        with transaction.atomic():
            payment = purchases.buy_amount(organization=organization, user=user, credits=2000)
    if payment.stripe_payment_intent_id:
        return
    method = stripe.post(
        "/v1/payment_methods",
        **{
            "type": "sepa_debit",
            "sepa_debit[iban]": SLOW_DEBIT,
            "billing_details[name]": organization.name,
            "billing_details[email]": "billing@acme.test",
        },
    )
    charge(
        organization,
        method["id"],
        amount=payment.amount,
        **{"payment_method_types[]": "sepa_debit", "metadata[coffer_payment]": payment.public_id},
    )


def pay_for_blocks(organization: Organization, user: User) -> None:
    """Reserve three blocks, and pay for them."""
    paid = Payment.objects.filter(organization=organization, purpose=Payment.Purpose.CAPACITY)
    project = Project.objects.filter(code="north-roof").first()
    if project is None or paid.filter(status=Payment.Status.SUCCEEDED).exists():
        return
    # Of this project: an offer of another one's waiting list is left to be looked at.
    held = Reservation.objects.filter(
        organization=organization, project=project, hold_expires_at__gt=workers_now()
    )
    reservation = held.filter(status=Reservation.Status.HELD).first() or reserve(
        organization=organization, project=project, wish=Wish(kw=Decimal(3)), user=user
    )
    payment = paying.pay(reservation=reservation, user=user)
    stripe.press(payment.pay_url, GOOD)
    checkout.look(payment)


def charge(organization: Organization, method: str, *, amount: int, **more: object) -> None:
    """Charge a payment method of the organization's at Stripe itself."""
    customer = ensure_customer(organization=organization)
    stripe.post(
        "/v1/payment_intents",
        customer=customer.stripe_id,
        amount=amount,
        currency="eur",
        payment_method=method,
        confirm="true",
        **more,
    )


def subscribe(organization: Organization, code: str, *, quantity: int = 1) -> None:
    """Subscribe to a plan and pay, or begin its trial."""
    row, version = present_of(organization), offered_plan(code)
    if row is None and version is not None:
        row = subscribing.begin(organization=organization, version=version, quantity=quantity)
    if row is not None and row.status == OrganizationSubscription.Status.INCOMPLETE:
        stripe.press(subscribing.open_checkout(row).pay_url, GOOD)


def subscribe_in_sandbox() -> None:
    """Begin a trial where staff may move the clock to its end."""
    sandbox = Organization.objects.filter(slug="sandbox").exclude(clock_at=None).first()
    if sandbox is not None:
        with scope.within(sandbox.pk, sandbox.clock_at):
            subscribe(sandbox, "pro")


def reload_once(organization: Organization, user: User) -> None:
    """Let automatic reload charge once, and wait for fewer credits from then on."""
    found = reload_of(organization)
    if found is not None and found.threshold == THRESHOLD:
        return
    if found is None:
        facts = Facts(organization)
        agree(organization, user, threshold=facts.available + facts.pending + 1)
    reloads.reload_if_low(organization.pk)
    agree(organization, user, threshold=THRESHOLD)


def agree(organization: Organization, user: User, *, threshold: int) -> None:
    """Agree to 1,000 credits at a time, for 100 euros a month at most."""
    wanted = reload_settings.Wanted(
        is_enabled=True, threshold=threshold, amount=1000, monthly_cap=10_000
    )
    with transaction.atomic():
        reload_settings.set_reload(
            organization=organization, user=user, wanted=wanted, has_agreed=True
        )


def refund_a_part(organization: Organization) -> None:
    """Give half of one payment back, as staff do."""
    payment = bought(organization, "medium")
    if payment is not None and not payment.refunds.exists():
        refund_requests.request_refund(
            payment=payment,
            refund_id=ids.new_id(),
            amount=payment.amount // 2,
            reason=Refund.Reason.REQUESTED_BY_CUSTOMER,
            note="Ordered twice as many as needed (HELP-402)",
            user=User.objects.get(email="root@demo.test"),
        )


def leave_a_difference(organization: Organization) -> None:
    """Charge the card at Stripe by hand, which nobody wrote down here, and find that out."""
    if ReconciliationCase.objects.exists():
        return
    customer = Customer.objects.get(organization=organization)
    charge(organization, customer.payment_method_id, amount=4200, description="By hand")
    reconciliation.reconcile(grace=NO_GRACE)


def hear() -> None:
    """Hear Stripe's news now: the web server that it delivers them to may not be up yet."""
    polling.poll()
    while subjects := inbox.due_subjects():
        for subject in subjects:
            inbox.process(subject)

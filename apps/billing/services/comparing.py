"""
Compare three columns: what Stripe took, what our payments say, and what the ledger granted.

Reads alone. Everything is collected before anything is decided, so that an answer of Stripe's
that does not come leaves nothing half compared.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from apps.billing.errors import StripeRefused
from apps.billing.gateway import objects, receipts
from apps.billing.models import Payment, ReconciliationCase
from apps.billing.selectors import reconciliation as ours
from apps.core.db import outside_transaction

Kind = ReconciliationCase.Kind
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What Stripe has of one payment intent; amounts in minor units."""

    amount: int
    refunded: int
    currency: str
    customer: str
    is_moving: bool = False  # a refund is so young that its news may still be on its way


@dataclass(frozen=True, kw_only=True)
class Line:
    """One payment intent in all three columns; None where a column knows nothing of it."""

    intent: str
    organization_id: UUID
    taken: Taken | None
    payment: Payment | None
    granted: int | None  # credits
    had_to_go_back: bool = False  # whole, by itself; and it did not

    @property
    def columns(self) -> Json:
        """What each column says, as a case keeps it."""
        taken, payment = self.taken, self.payment
        return {
            "stripe_amount": taken.amount if taken else None,
            "stripe_refunded": taken.refunded if taken else None,
            "stripe_currency": taken.currency if taken else "",
            "payment_amount": payment.amount + payment.tax if payment else None,
            "payment_refunded": payment.refunded if payment else None,
            "payment_currency": payment.currency if payment else "",
            "payment_status": payment.status if payment else "",
            "payment_credits": payment.credits if payment else None,
            "ledger_credits": self.granted,
        }


def differences_of(line: Line) -> Iterator[Kind]:
    """Yield what does not agree about one payment intent."""
    payment, taken = line.payment, line.taken
    is_settled = payment is not None and payment.status == Payment.Status.SUCCEEDED
    if payment is None or not is_settled:
        if taken is None:
            if line.granted:
                yield Kind.GRANTED_NOT_PAID
        elif payment is None:
            yield Kind.PAYMENT_MISSING
        else:
            yield _of_unsettled(payment, taken)
        return
    if taken is None:
        if payment.amount + payment.tax:  # what costs nothing is paid without Stripe
            yield Kind.SETTLED_NOT_PAID
        return
    if (taken.amount, taken.currency) != (payment.amount + payment.tax, payment.currency):
        yield Kind.AMOUNT_DIFFERS
    if taken.refunded != payment.refunded and not taken.is_moving:
        yield Kind.REFUND_DIFFERS
    if line.had_to_go_back and taken.refunded < taken.amount:
        yield Kind.NOT_GIVEN_BACK
    # An invoice's credits are granted for its lines, and have other causes.
    if payment.purpose != Payment.Purpose.INVOICE and (line.granted or 0) != payment.credits:
        yield Kind.CREDITS_DIFFER if line.granted else Kind.NOT_GRANTED


def _of_unsettled(payment: Payment, taken: Taken) -> Kind:
    """Say why money that came may not have been settled."""
    same = (taken.amount, taken.currency) == (payment.amount + payment.tax, payment.currency)
    # Checkout tells the tax with the session, and nobody may have told us of that either.
    is_explained = same or payment.stripe_session_id is not None
    return Kind.PAID_NOT_SETTLED if is_explained else Kind.AMOUNT_DIFFERS


@outside_transaction
def collect(*, since: datetime, until: datetime, besides: Collection[str]) -> list[Line]:
    """
    Return every payment intent of ours with money or credits in this time, and those `besides`.

    What happened at Stripe after `until` is left out: its news may still be on its way.

    :raises StripeUnavailable: if Stripe does not answer.
    """
    whose = ours.organizations_of_customers()
    refunded, moving = _refunds(since, until)
    taken: dict[str, Taken] = {}
    young: set[str] = set()
    for charge in receipts.list_charges(since=since):
        if charge.get("customer") in whose and charge.get("payment_intent"):
            _note(charge, taken, young, until, moving)
    granted_to = ours.intents_granted(since, until)
    known = {one.stripe_payment_intent_id for one in ours.payments_of_intents(refunded, [])}
    wanted = ours.intents_settled(since, until) | granted_to.keys() | set(besides)
    wanted |= {intent for intent in known if intent}
    not_given_back = ours.intents_not_given_back()
    wanted |= not_given_back
    for intent in sorted(wanted - taken.keys() - young):
        if (charge_found := _charge_of(intent)) is not None:
            _note(charge_found, taken, young, until, moving)
    return _lines(taken, (wanted | taken.keys()) - young, whose, granted_to, not_given_back)


def _refunds(since: datetime, until: datetime) -> tuple[set[str], set[str]]:
    """Return the intents of which something was refunded, and those where it was just now."""
    every: set[str] = set()
    moving: set[str] = set()
    for refund in receipts.list_refunds(since=since):
        intent = refund.get("payment_intent")
        if intent:
            every.add(intent)
            if _moment(refund["created"]) >= until:
                moving.add(intent)
    return every, moving


def _note(
    charge: Json, taken: dict[str, Taken], young: set[str], until: datetime, moving: set[str]
) -> None:
    """Put a charge into the column of Stripe, if its money has come."""
    if charge["status"] != "succeeded" or not charge["captured"]:
        return
    intent = charge["payment_intent"]
    if _moment(charge["created"]) >= until:
        young.add(intent)
        return
    taken[intent] = Taken(
        amount=charge["amount_captured"],
        refunded=charge["amount_refunded"],
        currency=charge["currency"],
        customer=charge.get("customer") or "",
        is_moving=intent in moving,
    )


def _charge_of(intent: str) -> Json | None:
    try:
        return receipts.charge_of(intent)
    except StripeRefused:  # Stripe has no such intent
        return None


def _lines(
    taken: dict[str, Taken],
    intents: set[str],
    whose: dict[str, UUID],
    granted_to: dict[str, UUID],
    not_given_back: Collection[str],
) -> list[Line]:
    """Put the columns of all intents beside each other."""
    payments = {one.stripe_payment_intent_id: one for one in ours.payments_of_intents(intents, [])}
    named = {intent: _payment_named(intent) for intent in taken.keys() - payments.keys()}
    rows = ours.payments_of_intents([], {pk for pk in named.values() if pk})
    by_id = {payment.pk: payment for payment in rows}
    payments |= {intent: by_id[pk] for intent, pk in named.items() if pk in by_id}
    organizations = {
        intent: _organization(taken.get(intent), payments.get(intent), whose)
        or granted_to.get(intent)
        for intent in intents
    }
    found = {intent: one for intent, one in organizations.items() if one is not None}
    granted = ours.credits_granted(found)
    return [
        Line(
            intent=intent,
            organization_id=organization_id,
            taken=taken.get(intent),
            payment=payments.get(intent),
            granted=granted.get(intent),
            had_to_go_back=intent in not_given_back,
        )
        for intent, organization_id in sorted(found.items())
    ]


def _payment_named(intent: str) -> UUID | None:
    """Ask which payment of ours an intent was made for, where none has written it down."""
    metadata = objects.retrieve("payment_intent", intent).get("metadata") or {}
    return Payment.read_id(metadata.get("coffer_payment", ""))


def _organization(
    taken: Taken | None, payment: Payment | None, whose: dict[str, UUID]
) -> UUID | None:
    if payment is not None:
        return payment.organization_id
    return whose.get(taken.customer) if taken is not None else None


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

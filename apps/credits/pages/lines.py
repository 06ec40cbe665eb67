"""Operations, lots and balances as the templates want them: plain values, no queries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse

from apps.core import ids
from apps.credits.models import CreditEvent, CreditTransaction, Lot
from apps.credits.selectors import Balance, Operation
from apps.tenants.models import Organization

REASONS = {
    "trial": "Trial credits are used before any other.",
    "subscription": "Plan credits go before those you bought, because they end with the period.",
    "generation": "Credits from generation go before awarded and bought ones.",
    "partner": "A partner's award goes before what you bought.",
    "promotional": "Gifts go before what you bought.",
    "adjustment": "Corrections go before what you bought.",
    "purchase": "What you paid for is used last.",
}
SOURCES = {
    "trial": "Sign-up",
    "expiry": "Expiry",
    "api": "API",
    "job": "Job",
    "promotion": "Gift",
    "purchase": "Purchase",
    "adjustment": "Support",
}


@dataclass(frozen=True)
class Line:
    """One operation in a list."""

    operation: Operation
    organization: Organization

    @property
    def id(self) -> str:
        """The id of its last part, as the API shows it."""
        return self.operation.last.public_id

    @property
    def type(self) -> str:
        """What kind of movement it is."""
        return self.operation.last.transaction_type

    @property
    def description(self) -> str:
        """What it was for, in the words of its cause."""
        return self.operation.last.description or self.source_label

    @property
    def amount(self) -> int:
        """Credits in or out."""
        return self.operation.amount

    @property
    def balance_after(self) -> int:
        """Credits in the wallet when it was done."""
        return self.operation.last.balance_after

    @property
    def created_at(self) -> datetime:
        """When it was done."""
        return self.operation.last.created_at

    @property
    def source_label(self) -> str:
        """What caused it, in a word."""
        source = self.operation.last.source
        return SOURCES.get(source, source.capitalize())

    @property
    def source_url(self) -> str:
        """The page of its cause, where it has one: a job's is `jobs:job`."""
        source, source_id = self.operation.last.source, self.operation.last.source_id
        try:
            return reverse(f"{source}s:{source}", args=[self.organization.slug, source_id])
        except NoReverseMatch:
            return ""

    @property
    def parts(self) -> list[dict[str, Any]]:
        """One row for each lot that it touched."""
        return [part_line(part) for part in self.operation.parts]


def part_line(part: CreditTransaction) -> dict[str, Any]:
    """Return one movement of a lot."""
    return {
        "id": part.public_id,
        "sequence": part.sequence,
        "lot_kind": part.lot.kind,
        "lot_id": part.lot.public_id,
        "lot_expires_at": part.lot.expires_at,
        "amount": part.amount,
        "balance_after": part.balance_after,
        "entry_hash": bytes(part.entry_hash).hex(),
    }


def full_story(line: Line) -> dict[str, Any]:
    """Return all that is known of one operation."""
    last = line.operation.last
    return {
        "id": line.id,
        "type": line.type,
        "description": line.description,
        "amount": line.amount,
        "balance_after": line.balance_after,
        "created_at": line.created_at,
        "source_label": line.source_label,
        "source_url": line.source_url,
        "source_id": last.source_id,
        "parts": line.parts,
        "reference": last.reference,
        "actor": last.actor,
        "request_id": last.request_id,
        "event": last.credit_event,
        "expires_at": last.expires_at,
        **related(line),
    }


def related(line: Line) -> dict[str, str]:
    """Return the charge that a refund gives back."""
    reversed_id = line.operation.last.reverses_id
    if reversed_id is None:
        return {}
    charge = ids.encode(CreditTransaction.PREFIX, reversed_id)
    url = reverse("credits:transaction", args=[line.organization.slug, charge])
    return {"related_url": url, "related_label": "the charge it gives back"}


def lot_line(lot: Lot) -> dict[str, Any]:
    """Return one lot, with the reason for its place in the burn order."""
    return {
        "id": lot.public_id,
        "kind": lot.kind,
        "granted": lot.granted,
        "remaining": lot.remaining,
        "effective_at": lot.effective_at,
        "expires_at": lot.expires_at,
        "reason": REASONS[lot.kind],
    }


def summary(balance: Balance, granted: int, event: CreditEvent | None) -> dict[str, Any]:
    """Return the balance with what it buys and what is lost first."""
    expiring = None
    if balance.expiring_at:
        expiring = {"amount": balance.expiring_amount, "expires_at": balance.expiring_at}
    unit = None
    if event and event.credit_cost:
        unit = {"count": balance.available // event.credit_cost, "name": f"{event.unit}s"}
    return {
        "available": balance.available,
        "held": balance.held,
        "granted": granted,
        "expiring": expiring,
        "unit": unit,
    }

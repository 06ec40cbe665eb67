"""Operations, lots and balances as the templates want them: plain values, no queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from apps.core import ids
from apps.credits.models import CreditEvent, CreditTransaction
from apps.credits.selectors import Balance, Explanation, Operation, Part, Standing, Status
from apps.tenants.models import Organization

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


def full_story(line: Line, *, by: str) -> dict[str, Any]:
    """Return all that is known of one operation; `by` is how its actor is called."""
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
        "by": by,
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


def standing_line(one: Standing) -> dict[str, Any]:
    """Return a lot as it stands, with the reason for its place in the burn order."""
    lot = one.lot
    return {
        "id": lot.public_id,
        "kind": lot.kind,
        "status": one.status.value,
        "place": one.place,
        "granted": lot.granted,
        "used": one.used,
        "remaining": one.remaining,
        "priority": lot.priority,
        "scope": ", ".join(lot.features) if lot.features is not None else "",
        "is_scoped": lot.features is not None,
        "effective_at": lot.effective_at,
        "expires_at": lot.expires_at,
        "origin": lot.origin,
        "reason": one.explanation,
    }


def expiries(standings: Iterable[Standing]) -> list[dict[str, Any]]:
    """Return what expires at which moment, the soonest first, with what is left after each."""
    ending: dict[datetime, int] = {}
    left = 0
    for one in standings:
        if one.status in (Status.OPEN, Status.SCHEDULED):
            left += one.remaining
            if one.lot.expires_at:
                ending[one.lot.expires_at] = ending.get(one.lot.expires_at, 0) + one.remaining
    found = []
    for moment, amount in sorted(ending.items()):
        left -= amount
        found.append({"expires_at": moment, "amount": amount, "left": left})
    return found


def part_of(part: Part, organization: Organization) -> dict[str, Any]:
    """Return an addend of an explanation, with the transactions behind it."""
    slug = organization.slug
    url = ""
    if part.transaction is not None:
        url = reverse("credits:transaction", args=[slug, part.transaction.public_id])
    elif part.lot is not None:
        lot = urlencode({"lot": part.lot.public_id})
        url = f"{reverse('credits:transactions', args=[slug])}?{lot}"
    return {
        "label": part.label,
        # A lot as a whole is called as on every other page.
        "kind": part.lot.kind if part.lot and part.transaction is None else "",
        "amount": part.amount,
        "count": part.count,
        "note": part.note,
        "lot_id": part.lot.public_id if part.lot else "",
        "expires_at": part.lot.expires_at if part.lot else None,
        "url": url,
        "parts": [part_of(one, organization) for one in part.parts],
    }


def back_from(explanation: Explanation, organization: Organization) -> dict[str, str]:
    """Return the page on which the number stands."""
    names = {
        "balance": ("credits:lots", "Credits"),
        "usage": ("credits:usage", "Usage"),
        "transaction": ("credits:transactions", "Transactions"),
    }
    url_name, label = names[explanation.of]
    return {"url": reverse(url_name, args=[organization.slug]), "label": label}


def summary(
    balance: Balance, granted: int, event: CreditEvent | None, *, credit_line: int
) -> dict[str, Any]:
    """Return the balance with what it buys, what is lost first, and what may still be owed."""
    expiring = None
    if balance.expiring_at:
        expiring = {"amount": balance.expiring_amount, "expires_at": balance.expiring_at}
    unit = None
    if event and event.credit_cost:
        unit = {"count": balance.available // event.credit_cost, "name": f"{event.unit}s"}
    return {
        "available": balance.available,
        "held": balance.held,
        "debt": balance.debt,
        "granted": granted,
        "expiring": expiring,
        "unit": unit,
        "credit_line": credit_line,
        "may_owe": max(0, credit_line - balance.debt),
    }

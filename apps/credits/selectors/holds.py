"""Read holds."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core import paging
from apps.core.errors import NotFound
from apps.credits.errors import InvalidTerms
from apps.credits.models import CreditTransaction, Hold, Wallet

CHUNK = 2000  # rows of an export that are in memory at once
PARTS = {  # of a list: what is still open comes first
    "open": Q(status=Hold.Status.HELD),
    "ended": ~Q(status=Hold.Status.HELD),
}
HOLD_COLUMNS = [
    "id",
    "created_at",
    "status",
    "amount",
    "captured",
    "policy",
    "event",
    "expires_at",
    "reference",
]


def holds_of(wallet: Wallet, *, actor: str | None = None) -> QuerySet[Hold]:
    """Return the wallet's holds, newest first; with `actor`, only those that he placed."""
    holds = Hold.objects.filter(wallet=wallet, organization_id=wallet.organization_id)
    if actor is not None:
        placed = CreditTransaction.objects.filter(
            wallet=wallet,
            reference=OuterRef("reference"),
            transaction_type=CreditTransaction.Type.HELD,
            actor=actor,
        )
        holds = holds.filter(Exists(placed))
    return holds.select_related("credit_event").order_by("-created_at", "-id")


def hold_of(wallet: Wallet, hold_id: str, *, actor: str | None = None) -> Hold:
    """
    Return the hold of the wallet (or of the actor) with this public id.

    :raises NotFound: if there is none.
    """
    found = _find(holds_of(wallet, actor=actor), hold_id)
    if found is None:
        raise NotFound
    return found


def page_of_holds(
    holds: QuerySet[Hold], *, size: int, after: str = "", parts: tuple[str, ...] = tuple(PARTS)
) -> tuple[list[Hold], str]:
    """
    Return one page of open holds, then of ended ones, and where the next page begins.

    `after` is what the page before returned. It names the part of the list as well, because
    a hold may end while somebody turns the pages. Wrong ones begin at the beginning.
    """
    part, _, last_id = after.partition(".")
    last = _find(holds, last_id) if part in parts else None
    found: list[tuple[str, Hold]] = []
    for name in parts[parts.index(part) :] if last else parts:
        rows = holds.filter(PARTS[name])
        if last and name == part:
            rows = paging.after(rows, last)
        found += [(name, hold) for hold in rows[: size + 1 - len(found)]]
    page = found[:size]
    beginning = f"{page[-1][0]}.{page[-1][1].public_id}" if len(found) > size else ""
    return [hold for _, hold in page], beginning


def hold_rows(holds: QuerySet[Hold]) -> Iterator[tuple[object, ...]]:
    """Yield a row for each hold, newest first, in the order of HOLD_COLUMNS, by keyset."""
    chunk = list(holds[:CHUNK])
    while chunk:
        for hold in chunk:
            yield (
                hold.public_id,
                hold.created_at.isoformat(),
                hold.status,
                hold.amount,
                hold.captured,
                hold.policy,
                hold.credit_event.name if hold.credit_event else "",
                hold.expires_at.isoformat(),
                hold.reference,
            )
        chunk = list(paging.after(holds, chunk[-1])[:CHUNK]) if len(chunk) == CHUNK else []


def movements_of_hold(hold: Hold) -> list[CreditTransaction]:
    """Return what the hold set aside, charged beyond it and gave back, and what refunded it."""
    entries = CreditTransaction.objects.filter(wallet=hold.wallet_id).select_related("lot")
    own = list(entries.filter(reference=hold.reference))
    refunds = entries.filter(reverses__in=own).exclude(reference=hold.reference)
    return sorted([*own, *refunds], key=lambda entry: entry.sequence)


def _find(holds: QuerySet[Hold], hold_id: str) -> Hold | None:
    row_id = Hold.read_id(hold_id)
    return holds.filter(pk=row_id).first() if row_id else None


def cost_at_hold(hold: Hold, quantity: int) -> int:
    """
    Return what so many units of the hold's event cost, at the price of when it was placed.

    :raises InvalidTerms: if it was placed for an amount, and not for an event.
    """
    if hold.credit_event is None:
        raise InvalidTerms(field="quantity", must="be left out: the hold is for an amount")
    return hold.credit_event.credit_cost * quantity

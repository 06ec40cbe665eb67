"""Call in what was lent of a lot whose money went back: what was handed on, and would return."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.core import ids
from apps.core.db import inside_transaction, one_trip
from apps.core.errors import DomainError
from apps.credits.ledger import rows
from apps.credits.ledger.book import Outcome
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.selectors.lots import lent_of
from apps.credits.services.transfers import RecallRequest, recall_many


@inside_transaction
def call_in(*, lot: Lot, amount: int, reference: str, description: str) -> None:
    """
    Bring at most `amount` credits back that were lent of a lot or its heirs, last lent first.

    Each recall says of its cause what the transfer has said that lent the credits, so that
    both count as one affair. Its reference begins with the one that is given.
    """
    lent = lock_lent(lot).filter(has_credits=True, remaining__gt=0)
    requests = defaultdict(list)  # by source
    for one in _with_cause(lent).order_by("-id"):
        part = min(amount, one.remaining)
        if part:
            request = RecallRequest(
                wallet_id=one.wallet_id,
                lot_ids=[one.id],
                amount=part,
                # Each time anew: what a job gives back later is called in as well
                reference=f"{reference}:{ids.new_id()}",
                source_id=one.cause_id,
                description=description,
            )
            requests[one.cause].append(request)
        amount -= part
    pool = Wallet.objects.get(pk=lot.wallet_id)
    for source, asked in requests.items():
        raise_refusals(recall_many(target=pool, requests=asked, source=source))


@inside_transaction
def lock_lent(lot: Lot) -> QuerySet[Lot]:
    """
    Lock a lot's wallet and those that borrowed of it; return the lots that are lent.

    The lot's wallet comes first, so that nothing more is lent. An organization's own wallet is
    older than those that it lends to: this is the order of ids, in which everybody locks.
    """
    with one_trip() as ask:
        rows.lock_wallets(ask, [lot.wallet_id])
    lent = lent_of(lot)
    borrowers = set(lent.values_list("wallet", flat=True))
    if borrowers:
        with one_trip() as ask:
            rows.lock_wallets(ask, list(borrowers))
    return lent


def raise_refusals(outcomes: Iterable[Outcome | DomainError]) -> None:
    """
    Let one refusal among many stop them all.

    :raises DomainError: the first of the refusals; the caller's transaction must roll back.
    """
    for outcome in outcomes:
        if isinstance(outcome, DomainError):
            raise outcome


def _with_cause(lots: QuerySet[Lot]) -> QuerySet[Any]:
    lending = CreditTransaction.objects.filter(
        lot=Coalesce(OuterRef("heir_of"), OuterRef("pk")),
        transaction_type=CreditTransaction.Type.TRANSFERRED_IN,
    ).order_by("sequence")
    found: QuerySet[Any] = lots.annotate(
        cause=Subquery(lending.values("source")[:1]),
        cause_id=Subquery(lending.values("source_id")[:1]),
    )
    return found

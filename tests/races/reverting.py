"""Give the same charges back twice, each of them from two callers at the same instant."""

from collections import Counter
from threading import Barrier
from uuid import UUID

from django.db import DatabaseError, transaction

from apps.core.errors import DomainError
from apps.credits.ledger.commands import Charge, Refund
from apps.credits.ledger.posting import post, post_one
from apps.credits.models import CreditTransaction, Wallet
from tests.credits.wallets import make_wallet
from tests.races.racing import at_once

COST = 3
CALLERS = 2


def make_charges(count: int) -> UUID:
    """Return a wallet from which so many charges, `charge:0` and so on, have taken all."""
    wallet_id = make_wallet(credits=count * COST).id
    charges = [
        Charge(wallet_id=wallet_id, reference=f"charge:{number}", source="test", amount=COST)
        for number in range(count)
    ]
    for first in range(0, count, 500):
        with transaction.atomic():
            post(charges[first : first + 500])
    return wallet_id


def revert_everything_twice(wallet_id: UUID, count: int, *, one_reference: bool) -> list[Counter]:
    """
    Refund each charge from two callers at once; return what the two were told of each.

    Both name the same cause, or each one his own.
    """
    begin_together = Barrier(CALLERS)

    def revert(caller: int) -> list[str]:
        told = []
        for number in range(count):
            reference = f"back:{number}" if one_reference else f"back:{number}:{caller}"
            begin_together.wait()
            told.append(_refund(wallet_id, f"charge:{number}", reference))
        return told

    told = at_once([lambda caller=caller: revert(caller) for caller in range(CALLERS)])
    return [Counter(pair) for pair in zip(*told, strict=True)]


def is_given_back_once(wallet_id: UUID, count: int) -> bool:
    """Tell whether the wallet has all its credits again, by one transaction for each charge."""
    refunds = CreditTransaction.objects.filter(wallet=wallet_id, transaction_type="refunded")
    return (
        Wallet.objects.get(pk=wallet_id).balance == count * COST
        and refunds.count() == refunds.values("reverses").distinct().count() == count
    )


def _refund(wallet_id: UUID, of: str, reference: str) -> str:
    command = Refund(wallet_id=wallet_id, reference=reference, source="test", of=of)
    try:
        with transaction.atomic():
            outcome = post_one(command)
    except DomainError as refusal:
        return refusal.code
    except DatabaseError:
        return "error"
    return "replayed" if outcome.is_replayed else "done"

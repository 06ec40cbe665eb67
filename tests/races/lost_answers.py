"""Charges by clients that repeat what they got no answer to."""

from collections import Counter
from collections.abc import Callable
from unittest import mock
from uuid import UUID

from django.db import transaction

from apps.core import idempotency, ids
from apps.core.idempotency import Answer
from apps.credits.ledger.commands import Charge
from apps.credits.ledger.posting import post_one
from apps.credits.models import CreditTransaction
from tests.races.racing import at_once
from tests.races.relay import Relay, unreliable_network, until_answered

Want = Callable[[UUID, int, int], object]  # wallet, number of the wish, number of the attempt


def with_one_reference(wallet_id: UUID, wish: int, attempt: int) -> None:
    """Name the same cause in each attempt, as Coffer's own services do."""
    charge(wallet_id, wish, reference=f"wish:{wish}")


def with_one_key(wallet_id: UUID, wish: int, attempt: int) -> None:
    """Send the same Idempotency-Key in each attempt; the cause below it is a new one."""

    def effect() -> Answer:
        charge(wallet_id, wish, reference=f"new:{ids.new_id()}")
        return Answer(201, {"wish": wish})

    idempotency.run_once(scope=str(wallet_id), key=str(wish), digest=bytes(32), effect=effect)


def without_any_key(wallet_id: UUID, wish: int, attempt: int) -> None:
    """Ask anew in each attempt: the control."""
    charge(wallet_id, wish, reference=f"wish:{wish}:{attempt}")


def charge(wallet_id: UUID, wish: int, *, reference: str) -> None:
    """Take one credit, for a wish that the transaction remembers."""
    command = Charge(
        wallet_id=wallet_id, reference=reference, source="wish", source_id=str(wish), amount=1
    )
    with transaction.atomic():
        post_one(command)


def charges_by_wish(
    wallet_id: UUID, want: Want, *, wishes: int, connections: int, share: float
) -> tuple[Counter[int], Relay]:
    """Wish so many things through a bad network; return how often each was charged."""

    def client(number: int) -> None:
        for wish in range(number, wishes, connections):
            until_answered(lambda attempt, wish=wish: want(wallet_id, wish, attempt))

    # A claim that lost its connection may be taken over at once, so that nobody waits.
    with mock.patch.object(idempotency, "LEASE_SECONDS", 0), unreliable_network(share) as relay:
        at_once([lambda number=number: client(number) for number in range(connections)])
    made = CreditTransaction.objects.filter(wallet=wallet_id, source="wish")
    return Counter(int(wish) for wish in made.values_list("source_id", flat=True)), relay

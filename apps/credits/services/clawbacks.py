"""Take back the credits of a purchase whose money went back, and freeze them while it may."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, Sum

from apps.core.db import inside_transaction
from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import ClawBack, FreezeLot, Reinstate
from apps.credits.ledger.owed import Forgive, Owe
from apps.credits.ledger.posting import POST, Mode, post, post_one
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.selectors.lots import heirs_of, lent_of
from apps.credits.services.lending import call_in, lock_lent, raise_refusals

GONE_UNUSED = (
    CreditTransaction.Type.CLAWED_BACK,
    CreditTransaction.Type.EXPIRED,
    CreditTransaction.Type.VOIDED,
)


@transaction.atomic
def claw_back(
    *,
    lot: Lot,
    amount: int,
    reference: str,
    source: str,
    source_id: str = "",
    description: str = "",
    mode: Mode = POST,
) -> Outcome:
    """
    Take back at most `amount` credits of one lot and its heirs, once per reference.

    Taken is what remains of them; if that is too little, what was lent of them is called in
    first. What was used, or handed on for good, stays so; no other lot pays for it. Whether it is
    owed is another decision (`owe_used`).

    :raises InvalidAmount: if the amount is no whole number above zero.
    :raises LotNotFound: if the lot is a debt.
    :raises ReferenceReused: if the reference stands for something else.
    """
    command = ClawBack(
        wallet_id=lot.wallet_id,
        lot_id=lot.id,
        amount=amount,
        reference=reference,
        source=source,
        source_id=source_id,
        description=description,
    )
    with transaction.atomic():
        _call_in_for(lot, command)
        outcome = post_one(command, mode)
        transaction.set_rollback(mode.is_dry_run)
    return outcome


def _call_in_for(lot: Lot, command: ClawBack) -> None:
    """Bring back what is missing of what is to be taken, unless it was taken before."""
    lock_lent(lot)  # and then look: whoever takes under the same reference has waited here
    done = CreditTransaction.objects.filter(wallet=lot.wallet_id, reference=command.reference)
    if done.exists():
        return
    there = _family(lot).aggregate(sum=Sum("remaining", default=0))["sum"]
    if command.amount > there:
        call_in(
            lot=lot,
            amount=command.amount - there,
            reference=command.reference,
            description=command.description,
        )


@dataclass(frozen=True, kw_only=True)
class ClawBackRequest:
    """At most so many credits of one lot and its heirs, among many that are taken together."""

    wallet_id: UUID
    lot_id: UUID
    amount: int
    reference: str
    source_id: str = ""
    description: str = ""


@transaction.atomic
def claw_back_unspent(*, requests: Sequence[ClawBackRequest], source: str) -> list[int]:
    """
    Take back what remains of each lot and its heirs, at most its amount; return how much.

    Nothing is owed for the rest, and nothing that was lent is called in. Once per reference; the
    number of queries does not grow with the number of lots.

    :raises LotNotFound: if a wallet has no such lot; then nothing is written.
    """
    if not requests:
        return []
    commands = [
        ClawBack(
            wallet_id=one.wallet_id,
            lot_id=one.lot_id,
            amount=one.amount,
            reference=one.reference,
            source=source,
            source_id=one.source_id,
            description=one.description,
        )
        for one in requests
    ]
    outcomes = post(commands)
    raise_refusals(outcomes)
    return [_taken_by(outcome) for outcome in outcomes if isinstance(outcome, Outcome)]


def _taken_by(outcome: Outcome) -> int:
    """Return what was taken from the lots; an entry beside may pay a debt, or what has expired."""
    taken = CreditTransaction.Type.CLAWED_BACK
    return -sum(one.amount for one in outcome.entries if one.transaction_type == taken)


@transaction.atomic
def reinstate(
    *,
    lot: Lot,
    amount: int,
    reference: str,
    source: str,
    source_id: str = "",
    description: str = "",
) -> Outcome:
    """
    Give `amount` credits back of those taken from a lot and its heirs, once per reference.

    Where the lot is past its date by now, they expire at once, and both can be seen.

    :raises InvalidAmount: if the amount is no whole number above zero.
    :raises MoreThanClawedBack: if less was taken back, and not given back yet.
    :raises ReferenceReused: if the reference stands for something else.
    """
    return post_one(
        Reinstate(
            wallet_id=lot.wallet_id,
            lot_id=lot.id,
            of=tuple(clawbacks_of(lot)),
            amount=amount,
            reference=reference,
            source=source,
            source_id=source_id,
            description=description,
        )
    )


@inside_transaction
def owe_used(
    *,
    lot: Lot,
    amount: int,
    already: int,
    reference: str,
    source: str,
    source_id: str = "",
    description: str = "",
) -> int:
    """
    Let what was used of a lot be owed, at most `amount` credits; return how many.

    `already` are owed for it before. What is open in the wallet repays them at once, and
    otherwise what comes in next. What expired or was voided unused is nobody's debt, and a
    wallet that is closed owes nothing. Comes after `claw_back` in one transaction: that has
    locked the wallet, so that what is read here stays true.

    :raises ReferenceReused: if the reference stands for something else.
    """
    wallet = Wallet.objects.get(pk=lot.wallet_id)
    due = min(amount, used_of(lot) - already)
    if due <= 0 or wallet.closed_at is not None:
        return 0
    post_one(
        Owe(
            wallet_id=lot.wallet_id,
            lot_id=lot.id,
            amount=due,
            reference=reference,
            source=source,
            source_id=source_id,
            description=description,
        )
    )
    return due


@transaction.atomic
def forgive_owed(
    *,
    lot: Lot,
    amount: int,
    reference: str,
    source: str,
    source_id: str = "",
    description: str = "",
) -> Outcome:
    """
    Let `amount` credits be owed no more that were owed for a lot; what was repaid comes back.

    :raises InvalidAmount: if the amount is no whole number above zero.
    :raises MoreThanClawedBack: if less was owed for it, and not given back yet.
    :raises ReferenceReused: if the reference stands for something else.
    """
    return post_one(
        Forgive(
            wallet_id=lot.wallet_id,
            of=tuple(_owed_for(lot).values_list("reference", flat=True)),
            amount=amount,
            reference=reference,
            source=source,
            source_id=source_id,
            description=description,
        )
    )


def used_of(lot: Lot) -> int:
    """
    Return how many credits of a lot and its heirs were used, taken back meanwhile or not.

    What is lent is used by whom it was lent to, or not yet; what was handed on for good is used.
    """
    lots = _family(lot) | lent_of(lot)
    unused = CreditTransaction.objects.filter(
        lot__in=lots, transaction_type__in=GONE_UNUSED
    ).aggregate(sum=Sum("amount"))["sum"]
    left = lots.aggregate(sum=Sum("remaining"))["sum"]
    return int(lot.granted - left + (unused or 0))


def _family(lot: Lot) -> QuerySet[Lot]:
    return Lot.objects.filter(pk__in=[lot.pk, *heirs_of([lot]).values_list("pk", flat=True)])


@transaction.atomic
def freeze_lot(*, lot: Lot, is_frozen: bool, reference: str, source: str) -> None:
    """
    Let nothing be drawn from a lot and its heirs, or let it again; what is so already stays.

    What was lent of them is frozen and thawed with them: nobody spends disputed credits on. A
    frozen lot expires at its date all the same, and can be voided and taken back.

    :raises LotNotFound: if the lot is a debt.
    """
    commands = [
        FreezeLot(
            wallet_id=one.wallet_id,
            lot_id=one.id,
            is_frozen=is_frozen,
            reference=reference,
            source=source,
        )
        for one in [lot, *lock_lent(lot)]
    ]
    raise_refusals(post(commands))


def movements_for(lot: Lot) -> int:
    """Return how often something was taken or owed for a lot, or given back."""
    owed = _owed_for(lot)
    back = CreditTransaction.objects.filter(reverses__in=owed).values_list("reference")
    return len(clawbacks_of(lot)) + owed.count() + back.distinct().count()


def _owed_for(lot: Lot) -> QuerySet[CreditTransaction]:
    debts = Lot.objects.filter(
        wallet=lot.wallet_id, kind=Lot.Kind.DEBT, origin__startswith=f"owed:{lot.pk}:"
    )
    return CreditTransaction.objects.filter(
        lot__in=debts, transaction_type=CreditTransaction.Type.CLAWED_BACK, amount__lt=0
    )


def clawbacks_of(lot: Lot) -> list[str]:
    """Return under which references credits of this lot and its heirs were taken or given back."""
    rows = CreditTransaction.objects.filter(
        lot__in=[lot, *heirs_of([lot])], transaction_type=CreditTransaction.Type.CLAWED_BACK
    )
    return list(dict.fromkeys(rows.order_by("sequence").values_list("reference", flat=True)))

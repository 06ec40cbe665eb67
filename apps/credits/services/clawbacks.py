"""Take back the credits of a purchase whose money went back, and freeze them while it may."""

from django.db import transaction

from apps.credits.ledger.book import Outcome
from apps.credits.ledger.commands import ClawBack, FreezeLot, Reinstate
from apps.credits.ledger.posting import POST, Mode, post_one
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors.lots import heirs_of


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

    Taken is what remains of them. What was used stays used; no other lot pays for it, and it
    becomes no debt. Whoever wants that decides it as a correction of the wallet.

    :raises InvalidAmount: if the amount is no whole number above zero.
    :raises LotNotFound: if the lot is a debt.
    :raises ReferenceReused: if the reference stands for something else.
    """
    return post_one(
        ClawBack(
            wallet_id=lot.wallet_id,
            lot_id=lot.id,
            amount=amount,
            reference=reference,
            source=source,
            source_id=source_id,
            description=description,
        ),
        mode,
    )


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


@transaction.atomic
def freeze_lot(*, lot: Lot, is_frozen: bool, reference: str, source: str) -> None:
    """
    Let nothing be drawn from a lot and its heirs, or let it again; what is so already stays.

    A frozen lot expires at its date all the same, and can be voided and taken back.

    :raises LotNotFound: if the lot is a debt.
    """
    post_one(
        FreezeLot(
            wallet_id=lot.wallet_id,
            lot_id=lot.id,
            is_frozen=is_frozen,
            reference=reference,
            source=source,
        )
    )


def clawbacks_of(lot: Lot) -> list[str]:
    """Return under which references credits of this lot and its heirs were taken or given back."""
    rows = CreditTransaction.objects.filter(
        lot__in=[lot, *heirs_of([lot])], transaction_type=CreditTransaction.Type.CLAWED_BACK
    )
    return list(dict.fromkeys(rows.order_by("sequence").values_list("reference", flat=True)))

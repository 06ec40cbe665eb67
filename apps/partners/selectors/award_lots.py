"""Which lots hold what is left of awards."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from apps.core import ids
from apps.credits.models import Lot
from apps.partners.models import PartnerCredit


def open_lots_of(awards: Iterable[PartnerCredit]) -> dict[UUID, list[Lot]]:
    """
    Return, by award, the lots that still hold credits of it, dead or alive, oldest first.

    Those of its transfer, and their heirs. The awards come with their `member`.
    """
    by_reference = {award.reference: award.id for award in awards}
    wallets = {award.member.wallet_id for award in awards}
    found: dict[UUID, list[Lot]] = {award_id: [] for award_id in by_reference.values()}
    lots = Lot.objects.filter(wallet__in=wallets, has_credits=True, remaining__gt=0)
    for lot in lots.select_related("heir_of").order_by("id"):
        if award_id := by_reference.get(reference_of(lot)):
            found[award_id].append(lot)
    return found


def reference_of(lot: Lot) -> str:
    """Return the reference of the award whose credits a lot holds; of another lot, anything."""
    award, _, _ = _first(lot).origin.rpartition(":")
    return award


def ends_in_the_pool(lots: Sequence[Lot]) -> Mapping[UUID, datetime | None]:
    """Return, by lot of an award, when the pool's credits end that it was made of; None: never."""
    came_from = {lot.id: ids.decode("lot", _first(lot).origin.rpartition(":")[2]) for lot in lots}
    ends = dict(Lot.objects.filter(pk__in=came_from.values()).values_list("id", "expires_at"))
    return {lot_id: ends[origin] for lot_id, origin in came_from.items()}


def _first(lot: Lot) -> Lot:
    return lot.heir_of or lot

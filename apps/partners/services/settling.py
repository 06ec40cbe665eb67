"""What members have not used goes by the terms: on revoke, on departure, and in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.core import ids
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.errors import DomainError
from apps.credits.errors import LotHasLess, WalletClosed
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.services import Outcome
from apps.credits.services.lots import LotRequest, void_many
from apps.credits.services.transfers import RecallRequest, recall_many
from apps.credits.services.wallets import lock_wallets
from apps.partners import selectors
from apps.partners.errors import AwardOver
from apps.partners.models import Partner, PartnerCredit, PartnerMember
from apps.partners.services.awards import SOURCE
from apps.partners.services.programmes import lock_partner
from apps.tenants.services import audit

Lots = Mapping[UUID, Sequence[Lot]]  # by award


@dataclass(frozen=True)
class Taken:
    """What was taken back of an award, in credits; what was used before stays used."""

    award: PartnerCredit
    credits: int
    is_replayed: bool = False


@transaction.atomic
def revoke(*, award: PartnerCredit, reason: str) -> Taken:
    """
    Take back what is not used of an award, once: it returns to the pool, or lapses.

    :raises AwardOver: if nothing is left of it.
    """
    partner = lock_partner(award.partner)
    award = PartnerCredit.objects.select_related("member").get(pk=award.pk)
    if award.revoked_at:
        gone = selectors.standing_of(award)
        return Taken(award, gone.returned + gone.lapsed, is_replayed=True)
    taken = take_back(partner, [award], selectors.open_lots_of([award]), "revoke")[award.id]
    if not taken:
        raise AwardOver(award_status=selectors.standing_of(award).status.label.lower())
    award.revoked_at = award.settled_at = database_now()
    award.save(update_fields=["revoked_at", "settled_at"])
    audit.record(
        action="partner.revoke_award",
        organization=award.organization,
        object_id=award.public_id,
        before={"credits": award.credits},
        after={"taken_back": taken},
        reason=reason,
    )
    return Taken(award, taken)


@transaction.atomic
def settle_member(*, member: PartnerMember, cause: str) -> int:
    """
    Take back all that a member has not used, because of `cause`; return how many credits.

    Repeated, it finds nothing to take.
    """
    partner = lock_partner(member.partner)
    awards = list(
        PartnerCredit.objects.select_related("member").filter(member=member, settled_at=None)
    )
    taken = take_back(partner, awards, selectors.open_lots_of(awards), "settle")
    now = database_now()
    for one in awards:
        one.settled_at = now
        one.revoked_at = now if taken[one.id] and one.expires_at > now else None
    PartnerCredit.objects.bulk_update(awards, ["revoked_at", "settled_at"])
    if awards:
        audit.record(
            action="partner.settle_member",
            organization=member.organization,
            object_id=member.public_id,
            after={"awards": len(awards), "taken_back": sum(taken.values())},
            reason=cause,
        )
    return sum(taken.values())


@inside_transaction
def take_back(
    partner: Partner, awards: Sequence[PartnerCredit], lots: Lots, cause: str
) -> dict[UUID, int]:
    """
    Take what is left in these lots of awards back; return how many credits, by award.

    The partner is locked. What returns goes to the lots of the pool that it came from, the rest
    lapses. What was used up in the meantime is not taken.
    """
    recalls = [(one, r) for one in awards if (r := _recall(one, lots[one.id], cause))]
    voids = [(one, v) for one in awards for v in _voids(one, lots[one.id], cause)]
    pool = main_wallet(partner.organization)
    if recalls and voids:  # two postings: all wallets first, in the order of everybody
        lock_wallets({pool.id, *(one.member.wallet_id for one, _ in [*recalls, *voids])})
    outcomes = [
        *recall_many(target=pool, requests=[r for _, r in recalls], source=SOURCE),
        *void_many(requests=[v for _, v in voids], source=SOURCE),
    ]
    taken = dict.fromkeys((one.id for one in awards), 0)
    for (one, _), outcome in zip([*recalls, *voids], outcomes, strict=True):
        taken[one.id] += _credits(outcome)
    return taken


def _recall(award: PartnerCredit, lots: Sequence[Lot], cause: str) -> RecallRequest | None:
    returning = [lot.id for lot in lots if lot.returns_to_id]
    if not returning:
        return None
    return RecallRequest(
        wallet_id=award.member.wallet_id,
        lot_ids=returning,
        # Each time anew: a job may give credits back to an award that was settled before
        reference=f"{award.reference}:{cause}:{ids.new_id()}",
        source_id=award.public_id,
        description="Unused credits of an award return",
    )


def _voids(award: PartnerCredit, lots: Sequence[Lot], cause: str) -> list[LotRequest]:
    return [
        LotRequest(
            wallet_id=lot.wallet_id,
            lot_id=lot.id,
            reference=f"{award.reference}:{cause}:{ids.new_id()}",
            source_id=award.public_id,
            description="Unused credits of an award lapse",
        )
        for lot in lots
        if not lot.returns_to_id
    ]


def _credits(outcome: Outcome | DomainError) -> int:
    """Return how many credits a recall or a void took out of a member's wallet."""
    if isinstance(outcome, LotHasLess | WalletClosed):  # used up, or nothing can be used any more
        return 0
    if isinstance(outcome, DomainError):
        raise outcome
    return -outcome.amount if outcome.entries else 0

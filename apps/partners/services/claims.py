"""Let awards live: from their claim on, and longer than they would."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from apps.core import ids
from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.errors import DomainError
from apps.credits.errors import LotFrozen, LotHasLess
from apps.credits.models import Lot
from apps.credits.services.lots import LotRequest, redate_many
from apps.partners import selectors
from apps.partners.errors import AwardCannotLast, AwardOver, InvalidAward, MemberNotThere
from apps.partners.models import PartnerCredit, PartnerMember
from apps.partners.services.awards import SOURCE
from apps.partners.services.programmes import MOST_CLAIM_DAYS, MOST_VALIDITY_DAYS, lock_partner
from apps.tenants.services import audit

Ends = dict[PartnerCredit, datetime]


@transaction.atomic
def claim_awards(*, member: PartnerMember) -> list[PartnerCredit]:
    """
    Make what a member was offered his, and return it; nothing is left to claim if repeated.

    Each award lasts its days from now on, but no longer than the credits of the pool that it
    was made of. An offer that is past its date stays unclaimed.
    """
    lock_partner(member.partner)
    now = database_now()
    offers = list(
        PartnerCredit.objects.select_related("member").filter(
            member=member, claimed_at=None, settled_at=None, expires_at__gt=now
        )
    )
    ends = _redate({one: now + timedelta(days=one.validity_days) for one in offers}, now)
    for one in offers:
        one.claimed_at, one.expires_at = now, ends[one]
    PartnerCredit.objects.bulk_update(offers, ["claimed_at", "expires_at"])
    if offers:
        audit.record(
            action="partner.claim_awards",
            organization=member.organization,
            object_id=member.public_id,
            after={"awards": len(offers), "credits": sum(one.credits for one in offers)},
        )
    return offers


@transaction.atomic
def extend(*, award: PartnerCredit, until: datetime) -> PartnerCredit:
    """
    Let what is left of an award end later; of an offer: let it be claimed for longer.

    :raises MemberNotThere: if its member has left: what comes back to him goes by the terms.
    :raises AwardOver: if nothing is left of it.
    :raises InvalidAward: if it ends later already, or would last beyond all reason.
    :raises AwardCannotLast: if the pool's credits that it was made of end before.
    """
    lock_partner(award.partner)
    now = database_now()
    award = PartnerCredit.objects.select_related("member").get(pk=award.pk)
    if award.member.status == PartnerMember.Status.LEFT:
        raise MemberNotThere(email=award.member.email)
    standing = selectors.standing_of(award, now)
    if award.revoked_at or not standing.left:
        raise AwardOver(award_status=standing.status.label.lower())
    _check_later(award, until, now)
    _check_pool(award, until)
    before, award.expires_at = award.expires_at, _redate({award: until}, now)[award]
    award.settled_at = None  # a job gave credits back after its end: it goes on
    award.save(update_fields=["expires_at", "settled_at"])
    if award.claimed_at is None:  # nor does the link end before
        link = PartnerMember.objects.filter(pk=award.member_id, digest__isnull=False)
        link.filter(link_expires_at__lt=award.expires_at).update(link_expires_at=award.expires_at)
    audit.record(
        action="partner.extend_award",
        organization=award.organization,
        object_id=award.public_id,
        before={"expires_at": before.isoformat()},
        after={"expires_at": award.expires_at.isoformat()},
    )
    return award


def _check_later(award: PartnerCredit, until: datetime, now: datetime) -> None:
    if until <= award.expires_at:
        problem = f"This must be later than {award.expires_at:%Y-%m-%d %H:%M} UTC."
        raise InvalidAward(field="until", problem=problem)
    days = MOST_VALIDITY_DAYS if award.claimed_at else MOST_CLAIM_DAYS
    if until > now + timedelta(days=days):
        raise InvalidAward(field="until", problem=f"This must be within {days} days.")


def _check_pool(award: PartnerCredit, until: datetime) -> None:
    lots = selectors.open_lots_of([award])[award.id]
    ends = selectors.ends_in_the_pool(lots).values()
    first = min((end for end in ends if end), default=None)
    if first and first < until:
        raise AwardCannotLast(ends=f"{first:%Y-%m-%d %H:%M} UTC")


@inside_transaction
def _redate(wanted: Ends, now: datetime) -> Ends:
    """
    Let the living lots of awards end as wanted, or with the pool's; return when each award ends.

    What was used up in the meantime is not redated, nor what is frozen: whose it is, is open.
    """
    open_lots = selectors.open_lots_of(wanted)
    lots = [lot for family in open_lots.values() for lot in family]
    limits = selectors.ends_in_the_pool(lots)
    ends, requests = dict(wanted), []
    for award, until in wanted.items():
        new = {
            lot: min(until, limits[lot.id] or until)
            for lot in open_lots[award.id]
            if lot.expires_at and lot.expires_at > now
        }
        ends[award] = max(new.values(), default=until)
        requests += [
            (_request(award, lot), end) for lot, end in new.items() if end != lot.expires_at
        ]
    _check_outcomes(redate_many(requests=requests, source=SOURCE))
    return ends


def _request(award: PartnerCredit, lot: Lot) -> LotRequest:
    return LotRequest(
        wallet_id=lot.wallet_id,
        lot_id=lot.id,
        # Each time anew: a job may give credits back to a lot that was redated before
        reference=f"{award.reference}:{lot.public_id}:{ids.new_id()}",
        source_id=award.public_id,
        description="Credits of an award last longer",
    )


def _check_outcomes(outcomes: Sequence[object]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, DomainError) and not isinstance(outcome, LotHasLess | LotFrozen):
            raise outcome

"""Hand credits of the pool on to members."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.core import ids
from apps.core.bulk import insert_many
from apps.core.errors import DomainError
from apps.core.queue import enqueue
from apps.credits.models import Lot
from apps.credits.selectors import balance_of, main_wallet
from apps.credits.services import Outcome
from apps.credits.services.transfers import TransferRequest, transfer_many
from apps.partners.errors import AwardsRefused
from apps.partners.models import Campaign, Partner, PartnerCredit, PartnerMember, PartnerTerms
from apps.partners.services.award_checks import (
    AwardRequest,
    Known,
    check,
    check_same,
    days_of,
    look_up,
)
from apps.partners.services.programmes import lock_partner
from apps.tenants.models import User
from apps.tenants.services import audit

__all__ = [
    "SOURCE",
    "AwardPreview",
    "AwardRequest",
    "Awarded",
    "award",
    "award_many",
    "preview_award",
]

SOURCE = "partner"  # of what awards move in the ledger
# What nobody has told the member yet: he joined by a rule himself, and a request has its answer
UNTOLD = (PartnerCredit.Source.MANUAL, PartnerCredit.Source.UPLOAD)


@dataclass(frozen=True)
class Awarded:
    """An award that was made, now or when its key first came."""

    award: PartnerCredit
    is_replayed: bool = False


def award(*, partner: Partner, request: AwardRequest, by: User | None = None) -> Awarded:
    """
    Make one award.

    :raises DomainError: for the reasons that `award_many` has for one request.
    """
    (answer,) = award_many(partner=partner, requests=[request], by=by)
    if isinstance(answer, DomainError):
        raise answer
    return answer


@dataclass(frozen=True)
class AwardPreview:
    """What an award would do, in credits."""

    pool_before: int
    pool_after: int
    member_before: int
    member_after: int
    award: PartnerCredit  # not kept


def preview_award(*, partner: Partner, request: AwardRequest) -> AwardPreview:
    """
    Say what an award would do now; nothing is kept of it.

    :raises DomainError: for the reasons that `award_many` has for one request.
    """
    pool = main_wallet(partner.organization)
    with transaction.atomic():
        before = balance_of(pool).available, balance_of(request.member.wallet).available
        made = award(partner=partner, request=request).award
        after = balance_of(pool).available, balance_of(request.member.wallet).available
        transaction.set_rollback(True)
    return AwardPreview(before[0], after[0], before[1], after[1], made)


@transaction.atomic
def award_many(
    *,
    partner: Partner,
    requests: Sequence[AwardRequest],
    by: User | None = None,
    all_or_nothing: bool = False,
) -> list[Awarded | DomainError]:
    """
    Award credits of the pool: awards or refusals, in the order asked.

    A key is awarded once, whoever repeats it. A refusal stops only itself, unless it is all or
    nothing. Queries do not grow with the number of requests. Reasons to refuse a request:
    NotFound if the member, campaign or rule is not the partner's, PartnerSuspended,
    MemberCannotReceive, InvalidAward, InvalidAmount, AwardKeyReused, CampaignClosed,
    CampaignBudgetSpent (what the same call asked for before counts, even if the pool refuses
    it), InsufficientCredits if the pool does not cover it, WalletFrozen or WalletClosed.

    :raises AwardsRefused: if it is all or nothing, and one of them is refused.
    """
    known = look_up(lock_partner(partner), requests)
    refusals = [_plan(known, request, by) for request in requests]
    failed = _hand_over(known)
    answers = [
        refusal or failed.get(request.key) or _answer(known, request)
        for request, refusal in zip(requests, refusals, strict=True)
    ]
    refused = [one for one in answers if isinstance(one, DomainError)]
    if all_or_nothing and refused:
        first = refused[0]
        raise AwardsRefused(refused=len(refused), awards=len(answers), first=str(first)) from first
    return answers


def _plan(known: Known, request: AwardRequest, by: User | None) -> DomainError | None:
    """Plan an award that is not there yet; return why it cannot be, if it cannot."""
    try:
        if same := known.earlier.get(request.key) or known.planned.get(request.key):
            check_same(same, request)
            return None
        member = check(known, request)
    except DomainError as refusal:
        return refusal
    known.planned[request.key] = _new(known, request, member, by)
    if request.campaign:
        known.campaigns[request.campaign.pk].awarded += request.credits
    return None


def _new(
    known: Known, request: AwardRequest, member: PartnerMember, by: User | None
) -> PartnerCredit:
    """Return the award, not saved: an active member's at once, an offer to another."""
    is_active = member.status == PartnerMember.Status.ACTIVE
    days = days_of(known, request)
    claim_by = request.claim_by or known.now + timedelta(days=known.terms.claim_days)
    award_id = ids.new_id()
    return PartnerCredit(
        id=award_id,
        organization=known.partner.organization,
        partner=known.partner,
        member=member,
        terms=known.terms,
        credits=request.credits,
        reference=f"award:{ids.encode(PartnerCredit.PREFIX, award_id)}",
        source=request.source,
        key=request.key,
        campaign=request.campaign,
        rule=request.rule,
        note=request.note,
        awarded_by=by,
        validity_days=days,
        expires_at=known.now + timedelta(days=days) if is_active else claim_by,
        claimed_at=known.now if is_active else None,
        mail_due_at=known.now if is_active and request.source in UNTOLD else None,
    )


def _hand_over(known: Known) -> dict[str, DomainError]:
    """Move the credits of what is planned, and keep the awards; return refusals by key."""
    awards = list(known.planned.values())
    outcomes = transfer_many(
        wallet=main_wallet(known.partner.organization),
        requests=[_transfer(known, one) for one in awards],
        source=SOURCE,
    )
    failed: dict[str, DomainError] = {}
    for one, outcome in zip(awards, outcomes, strict=True):
        if isinstance(outcome, DomainError):
            failed[one.key] = outcome
            _uncount(known, one)
        else:
            one.expires_at = _end_of(outcome, one.expires_at)
    _keep(known, [one for one in awards if one.key not in failed])
    return failed


def _transfer(known: Known, award: PartnerCredit) -> TransferRequest:
    return TransferRequest(
        target_id=award.member.wallet_id,
        amount=award.credits,
        reference=award.reference,
        source_id=award.public_id,
        kind=Lot.Kind.PARTNER,
        expires_at=award.expires_at,
        returns=known.terms.unused == PartnerTerms.Unused.RETURN,
        description=f"Award of {known.partner.name}",
    )


def _uncount(known: Known, award: PartnerCredit) -> None:
    """Give a campaign back what was planned in it, and refused by the ledger."""
    if award.campaign_id:
        known.campaigns[award.campaign_id].awarded -= award.credits


def _end_of(outcome: Outcome, wanted: datetime) -> datetime:
    """Return when the last of an award's lots ends: earlier than wanted, if the pool's do."""
    arrived = [one for one in outcome.entries if one.transaction_type == "transferred_in"]
    return max(one.expires_at or wanted for one in arrived)


def _keep(known: Known, made: Sequence[PartnerCredit]) -> None:
    if not made:
        return
    insert_many(made)
    if known.campaigns:
        Campaign.objects.bulk_update(known.campaigns.values(), ["awarded"])
    if any(one.mail_due_at for one in made):
        enqueue("core.send_mails", queue="awards")
    _write_to_invited(known, [one.member for one in made if one.claimed_at is None])
    audit.record(
        action="partner.award",
        organization=known.partner.organization,
        object_id=made[0].public_id if len(made) == 1 else known.partner.public_id,
        after={"awards": len(made), "credits": sum(one.credits for one in made)},
    )


def _write_to_invited(known: Known, members: Sequence[PartnerMember]) -> None:
    """Let the mail with the link tell of offers, once more if it has gone, or is going now."""
    told = {one.pk for one in members if one.mail_due_at is None or one.mail_due_at > known.now}
    if told:
        rows = PartnerMember.objects.filter(pk__in=told, status=PartnerMember.Status.INVITED)
        rows.update(mail_due_at=known.now, mail_attempts=0)
        enqueue("core.send_mails", queue="programme_claims")


def _answer(known: Known, request: AwardRequest) -> Awarded:
    """Return what a request got: the first one of a key made it, the others repeat it."""
    if made := known.planned.pop(request.key, None):
        known.earlier[request.key] = made
        return Awarded(made)
    return Awarded(known.earlier[request.key], is_replayed=True)

"""What is asked when credits shall be awarded, and why it may be refused."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from apps.core.clock import database_now
from apps.core.errors import NotFound
from apps.partners import selectors
from apps.partners.errors import (
    AwardKeyReused,
    CampaignBudgetSpent,
    CampaignClosed,
    InvalidAward,
    MemberCannotReceive,
    PartnerSuspended,
)
from apps.partners.models import (
    AwardRule,
    Campaign,
    Partner,
    PartnerCredit,
    PartnerMember,
    PartnerTerms,
)
from apps.partners.services.programmes import MOST_CLAIM_DAYS, MOST_VALIDITY_DAYS

LARGEST_AWARD = 10**15  # credits: the ledger's limit of one movement
LONGEST_KEY = 200  # characters
LONGEST_NOTE = 200  # characters
RECEIVING = (PartnerMember.Status.INVITED, PartnerMember.Status.ACTIVE)


@dataclass(frozen=True, kw_only=True)
class AwardRequest:
    """Credits for a member, once per key."""

    member: PartnerMember
    credits: int
    # The cause, once per partner: upload:<digest of batch and address>, rule:<id>:<member>,
    # request:<id>
    key: str
    source: PartnerCredit.Source = PartnerCredit.Source.MANUAL
    note: str = ""
    campaign: Campaign | None = None
    rule: AwardRule | None = None
    validity_days: int | None = None  # from the claim on; as the terms say, if None
    claim_by: datetime | None = None  # as the terms say, if None; an active member needs none


@dataclass
class Known:
    """What is known of a batch under the partner's lock, and the awards that shall be made."""

    partner: Partner
    terms: PartnerTerms
    now: datetime
    earlier: dict[str, PartnerCredit]  # awards that are there, by key
    members: dict[UUID, PartnerMember]
    campaigns: dict[UUID, Campaign]  # locked; what is planned counts as awarded already
    planned: dict[str, PartnerCredit] = field(default_factory=dict)  # by key


def look_up(partner: Partner, requests: Sequence[AwardRequest]) -> Known:
    """Read what the requests of a locked partner are about, and lock their campaigns."""
    campaigns = {one.campaign.pk for one in requests if one.campaign}
    locked = Campaign.objects.select_for_update(no_key=True).order_by("pk")
    found = locked.filter(partner=partner, pk__in=campaigns) if campaigns else ()
    members = {one.member.pk for one in requests}
    keys = {one.key for one in requests}
    earlier = PartnerCredit.objects.filter(partner=partner, key__in=keys)
    return Known(
        partner=partner,
        terms=selectors.terms_of(partner),
        now=database_now(),
        earlier={one.key: one for one in earlier.select_related("member")},
        members=PartnerMember.objects.filter(partner=partner).in_bulk(list(members)),
        campaigns={one.pk: one for one in found},
    )


def check_same(award: PartnerCredit, request: AwardRequest) -> None:
    """
    Check that a key that comes again means the award that it meant before.

    :raises AwardKeyReused: if it does not.
    """
    asked = (
        request.member.pk,
        request.credits,
        request.campaign.pk if request.campaign else None,
        request.rule.pk if request.rule else None,
        request.validity_days or award.validity_days,
    )
    made = (award.member_id, award.credits, award.campaign_id, award.rule_id, award.validity_days)
    if asked != made:
        raise AwardKeyReused(key=award.key, credits=award.credits)


def check(known: Known, request: AwardRequest) -> PartnerMember:
    """
    Return the member as he is now, if he can be awarded what is asked for.

    :raises DomainError: for the reasons that `award_many` gives.
    """
    if known.partner.status != Partner.Status.ACTIVE:
        raise PartnerSuspended(name=known.partner.name)
    member = known.members.get(request.member.pk)
    if member is None or (request.rule and request.rule.partner_id != known.partner.pk):
        raise NotFound
    if member.status not in RECEIVING:
        raise MemberCannotReceive(member_status=member.get_status_display().lower())
    _check_terms(known, request)
    if request.campaign:
        _check_campaign(known, request.campaign, request.credits)
    return member


def days_of(known: Known, request: AwardRequest) -> int:
    """Return for how many days after its claim an award can be used."""
    given = request.validity_days
    return known.terms.validity_days if given is None else given


def _check_terms(known: Known, request: AwardRequest) -> None:
    if type(request.credits) is not int or not 1 <= request.credits <= LARGEST_AWARD:
        problem = f"This must be a whole number of credits from 1 to {LARGEST_AWARD:,}."
        raise InvalidAward(field="credits", problem=problem)
    for name, text, longest in (
        ("key", request.key, LONGEST_KEY),
        ("note", request.note, LONGEST_NOTE),
    ):
        if len(text) > longest:
            problem = f"This must have {longest} characters at most."
            raise InvalidAward(field=name, problem=problem)
    if not request.key:
        raise InvalidAward(field="key", problem="This must not be empty.")
    if not 1 <= days_of(known, request) <= MOST_VALIDITY_DAYS:
        problem = f"This must be from 1 to {MOST_VALIDITY_DAYS} days."
        raise InvalidAward(field="validity_days", problem=problem)
    latest = known.now + timedelta(days=MOST_CLAIM_DAYS)
    if request.claim_by and not known.now < request.claim_by <= latest:
        problem = f"This must be a moment to come, within {MOST_CLAIM_DAYS} days."
        raise InvalidAward(field="claim_by", problem=problem)


def _check_campaign(known: Known, asked: Campaign, credits: int) -> None:
    campaign = known.campaigns.get(asked.pk)
    if campaign is None:
        raise NotFound
    check_campaign(campaign, credits, known.now)


def check_campaign(campaign: Campaign, credits: int, now: datetime) -> None:
    """
    Check that so many credits can be awarded in a campaign that was read under the partner's lock.

    :raises CampaignClosed: if it has not begun, or has ended.
    :raises CampaignBudgetSpent: if its budget does not cover them.
    """
    has_ended = campaign.ends_at is not None and campaign.ends_at <= now
    if campaign.begins_at > now or has_ended:
        raise CampaignClosed(name=campaign.name)
    left = campaign.budget - campaign.awarded
    if credits > left:
        raise CampaignBudgetSpent(name=campaign.name, left=left, wanted=credits)

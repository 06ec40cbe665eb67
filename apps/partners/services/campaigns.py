"""Campaigns: awards that belong together, within a budget and a window."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apps.core.clock import database_now
from apps.core.days import YEARS, is_sensible
from apps.core.db import inside_transaction
from apps.partners.errors.asking import CampaignNameTaken, CampaignOver, InvalidCampaign
from apps.partners.models import Campaign, Partner
from apps.partners.services.programmes import lock_active, lock_partner
from apps.tenants.models import User
from apps.tenants.services import audit

LARGEST_BUDGET = 10**12  # credits
BRIEFEST = timedelta(microseconds=1)  # of what is ended before it has begun


@dataclass(frozen=True)
class Plan:
    """What a campaign says."""

    name: str
    budget: int  # credits
    begins_at: datetime
    ends_at: datetime | None = None  # exclusive; None: until it is ended


@transaction.atomic
def create_campaign(*, partner: Partner, plan: Plan, by: User | None = None) -> Campaign:
    """
    Plan a campaign. Nothing leaves the pool until something is awarded in it.

    :raises PartnerSuspended: if staff have suspended the programme.
    :raises InvalidCampaign: if it cannot be so.
    :raises CampaignNameTaken: if the programme has one of this name.
    """
    locked = lock_active(partner)
    _check(plan, awarded=0)
    _check_name(locked, plan.name)
    made = Campaign.objects.create(
        organization=locked.organization, partner=locked, created_by=by, **vars(plan)
    )
    _record("create", made, after=_facts(made))
    return made


@transaction.atomic
def change_campaign(*, campaign: Campaign, changes: dict[str, Any]) -> Campaign:
    """
    Change name, budget, begin or end of a campaign that is not over; `changes` by field of Plan.

    :raises InvalidCampaign: if it cannot be so, or if more than the budget is awarded already.
    :raises CampaignNameTaken: if the programme has another one of this name.
    :raises CampaignOver: if it has ended.
    """
    partner = lock_partner(campaign.partner)
    locked = lock_campaign(campaign)
    before, was_over = _facts(locked), is_over(locked)
    for name, value in changes.items():
        setattr(locked, name, value)
    if before == _facts(locked):
        return locked
    if was_over:
        raise CampaignOver(name=before["title"])
    plan = Plan(locked.name, locked.budget, locked.begins_at, locked.ends_at)
    _check(plan, awarded=locked.awarded)
    _check_name(partner, locked.name, but=locked)
    locked.save()
    _record("change", locked, before=before, after=_facts(locked))
    return locked


@transaction.atomic
def end_campaign(*, campaign: Campaign) -> Campaign:
    """Award nothing in it from now on; what was awarded stays. Ended twice is ended once."""
    lock_partner(campaign.partner)
    locked = lock_campaign(campaign)
    if is_over(locked):
        return locked
    before, now = _facts(locked), database_now()
    locked.begins_at, locked.ends_at = min(locked.begins_at, now - BRIEFEST), now
    locked.save()
    _record("end", locked, before=before, after=_facts(locked))
    return locked


@inside_transaction
def lock_campaign(campaign: Campaign) -> Campaign:
    """Return the campaign as it is now, locked until the transaction ends."""
    rows = Campaign.objects.select_for_update(no_key=True, of=("self",))
    locked: Campaign = rows.select_related("organization").get(pk=campaign.pk)
    return locked


def is_over(campaign: Campaign) -> bool:
    """Tell whether its window has closed."""
    return campaign.ends_at is not None and campaign.ends_at <= database_now()


def _check(plan: Plan, *, awarded: int) -> None:
    if not plan.name.strip():
        raise InvalidCampaign(field="name", problem="Give it a name.")
    if not 1 <= plan.budget <= LARGEST_BUDGET:
        problem = f"This must be a whole number of credits from 1 to {LARGEST_BUDGET:,}."
        raise InvalidCampaign(field="budget", problem=problem)
    if plan.budget < awarded:
        problem = f"{awarded:,} credits are awarded already; the budget cannot be less."
        raise InvalidCampaign(field="budget", problem=problem)
    _check_window(plan)


def _check_window(plan: Plan) -> None:
    for name, moment in (("begins_at", plan.begins_at), ("ends_at", plan.ends_at)):
        if moment is not None and not is_sensible(moment.date()):
            problem = f"This must be in the years {YEARS[0]} to {YEARS[-1]}."
            raise InvalidCampaign(field=name, problem=problem)
    if plan.ends_at is None:
        return
    if plan.ends_at <= plan.begins_at:
        raise InvalidCampaign(field="ends_at", problem="This must be after the beginning.")
    if plan.ends_at <= database_now():
        problem = "This must be to come. To end a campaign now, end it."
        raise InvalidCampaign(field="ends_at", problem=problem)


def _check_name(partner: Partner, name: str, *, but: Campaign | None = None) -> None:
    """Check it under the programme's lock, so that a twin waits."""
    named = Campaign.objects.filter(partner=partner, name=name).first()
    if named is not None and named != but:
        raise CampaignNameTaken(name=name)


def _facts(campaign: Campaign) -> dict[str, Any]:
    return {
        "title": campaign.name,
        "budget": campaign.budget,
        "begins_at": campaign.begins_at.isoformat(),
        "ends_at": campaign.ends_at.isoformat() if campaign.ends_at else None,
    }


def _record(
    verb: str,
    campaign: Campaign,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        action=f"campaign.{verb}",
        organization=campaign.organization,
        object_id=campaign.public_id,
        before=before,
        after=after,
    )

"""Rules: whoever has a verified address at a domain may join, and gets so many credits, once."""

from typing import Any

from django.db import transaction

from apps.core.db import inside_transaction
from apps.core.errors import NotFound
from apps.partners.errors.asking import AwardRuleEnded, AwardRuleExists, InvalidAwardRule
from apps.partners.models import AwardRule, Campaign, Partner
from apps.partners.models.domains import checked_domain
from apps.partners.services.campaigns import is_over
from apps.partners.services.programmes import lock_active, lock_partner
from apps.partners.services.requests import MOST_CREDITS
from apps.tenants.models import User
from apps.tenants.services import audit


@transaction.atomic
def create_rule(
    *,
    partner: Partner,
    domain: str,
    credits: int,
    campaign: Campaign | None = None,
    by: User | None = None,
) -> AwardRule:
    """
    Let people with an address at a domain, and at no domain below it, join by themselves.

    :raises PartnerSuspended: if staff have suspended the programme.
    :raises InvalidAwardRule: if the domain is none or open to everybody, if it cannot be so
        many credits, or if the campaign is over.
    :raises AwardRuleExists: if the programme has a rule for the domain.
    """
    locked = lock_active(partner)
    try:
        domain = checked_domain(domain)
    except ValueError as error:
        raise InvalidAwardRule(field="domain", problem=str(error)) from error
    _check(locked, credits, campaign)
    if AwardRule.objects.filter(partner=locked, domain=domain, is_active=True).exists():
        raise AwardRuleExists(domain=domain)
    made = AwardRule.objects.create(
        organization=locked.organization,
        partner=locked,
        domain=domain,
        credits=credits,
        campaign=campaign,
        created_by=by,
    )
    _record("create", made, after=_facts(made))
    return made


@transaction.atomic
def change_rule(*, rule: AwardRule, credits: int, campaign: Campaign | None) -> AwardRule:
    """
    Give those who join from now on another number of credits, or within another campaign.

    :raises AwardRuleEnded: if it has ended.
    :raises InvalidAwardRule: if it cannot be so many, or if the campaign is over.
    """
    partner = lock_partner(rule.partner)
    locked = _lock(rule)
    if not locked.is_active:
        raise AwardRuleEnded(domain=locked.domain)
    before = _facts(locked)
    locked.credits, locked.campaign = credits, campaign
    if before == _facts(locked):
        return locked
    _check(partner, credits, campaign)
    locked.save()
    _record("change", locked, before=before, after=_facts(locked))
    return locked


@transaction.atomic
def end_rule(*, rule: AwardRule) -> AwardRule:
    """Let nobody join by it any more; whoever did stays. Ended twice is ended once."""
    lock_partner(rule.partner)
    locked = _lock(rule)
    if locked.is_active:
        locked.is_active = False
        locked.save()
        _record("end", locked, before=_facts(locked))
    return locked


@inside_transaction
def _lock(rule: AwardRule) -> AwardRule:
    rows = AwardRule.objects.select_for_update(no_key=True, of=("self",))
    fixed = rows.select_related("organization")
    locked: AwardRule = fixed.prefetch_related("campaign").get(pk=rule.pk)
    return locked


def _check(partner: Partner, credits: int, campaign: Campaign | None) -> None:
    if not 1 <= credits <= MOST_CREDITS:
        problem = f"This must be a whole number of credits from 1 to {MOST_CREDITS:,}."
        raise InvalidAwardRule(field="credits", problem=problem)
    if campaign is None:
        return
    if campaign.partner_id != partner.pk:
        raise NotFound
    if is_over(campaign):
        raise InvalidAwardRule(field="campaign", problem="This campaign is over.")


def _facts(rule: AwardRule) -> dict[str, Any]:
    return {
        "domain": rule.domain,
        "credits": rule.credits,
        "campaign": rule.campaign.public_id if rule.campaign else None,
    }


def _record(
    verb: str,
    rule: AwardRule,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        action=f"award_rule.{verb}",
        organization=rule.organization,
        object_id=rule.public_id,
        before=before,
        after=after,
    )

"""
Join a programme by oneself, by the rule for a domain at which one has a verified address.

Nobody is taken in unasked: a rule only offers, and the person says yes. He gets the credits
once per rule, and so does whoever has another address of the same person.
"""

from collections.abc import Sequence

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Q

from apps.core import scope
from apps.credits.errors import InsufficientCredits, WalletClosed, WalletFrozen
from apps.partners.errors import CampaignBudgetSpent, CampaignClosed, PartnerSuspended, SeatsTaken
from apps.partners.errors.asking import AwardRuleEnded, CannotJoin
from apps.partners.models import AwardRule, Partner, PartnerCredit, PartnerMember
from apps.partners.models.addresses import normalized
from apps.partners.models.domains import domain_of, person_of
from apps.partners.services.awards import AwardRequest, award
from apps.partners.services.claiming import claim
from apps.partners.services.members import NewMember, add_members
from apps.partners.services.programmes import lock_partner
from apps.tenants.models import User
from apps.tenants.services import audit
from apps.tenants.services.organizations import lock_organization

Status = PartnerMember.Status
# What the programme cannot give, and whose reasons are not for somebody outside: they tell sums,
# or how its organization stands.
NOT_GIVEN = (
    CampaignBudgetSpent,
    CampaignClosed,
    InsufficientCredits,
    PartnerSuspended,
    SeatsTaken,
    WalletClosed,
    WalletFrozen,
)


def join(*, rule: AwardRule, user: User) -> PartnerMember:
    """
    Become a member and take the rule's credits; whoever has taken them may repeat it.

    :raises AwardRuleEnded: if the programme has ended the rule.
    :raises CannotJoin: if none of his verified addresses is at the domain, if he was suspended
        or removed, if he took the credits by another address, or if they cannot be given now.
    """
    with (
        scope.within(rule.organization_id),
        scope.within(rule.organization_id, rule.organization.clock_at),  # seen from within alone
        transaction.atomic(),
    ):
        lock_organization(rule.organization)  # as every claim does first
        partner = lock_partner(rule.partner)
        current = AwardRule.objects.select_related("campaign").get(pk=rule.pk)
        if not current.is_active:
            raise AwardRuleEnded(domain=current.domain)
        own = _addresses_of(user)
        email = _address_at(current, own)
        try:
            return _take(partner, current, user, email, own)
        except NOT_GIVEN as error:
            problem = "it cannot give these credits now. Ask those who run it."
            raise CannotJoin(name=partner.name, problem=problem) from error


def _take(
    partner: Partner, rule: AwardRule, user: User, email: str, own: Sequence[str]
) -> PartnerMember:
    member = _member_of(partner, user, email, own)
    _check_takes_once(partner, rule, member, own)
    if member.status == Status.INVITED:  # also who took the credits, left and was asked back
        member = claim(member=member, user=user)
    key = f"rule:{rule.public_id}:{member.public_id}"
    if PartnerCredit.objects.filter(partner=partner, key=key).exists():
        return member
    award(
        partner=partner,
        request=AwardRequest(
            member=member,
            credits=rule.credits,
            key=key,
            source=PartnerCredit.Source.RULE,
            campaign=rule.campaign,
            rule=rule,
        ),
    )
    audit.record(
        action="award_rule.take",
        organization=partner.organization,
        object_id=rule.public_id,
        after={"member": member.public_id, "credits": rule.credits},
    )
    return member


def _addresses_of(user: User) -> list[str]:
    """Return his verified addresses as members have them, the main one first."""
    own = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    return [normalized(email) for email in own.values_list("email", flat=True)]


def _address_at(rule: AwardRule, own: Sequence[str]) -> str:
    """Return his address at the rule's domain: the main one, if there are several."""
    for email in own:
        if domain_of(email) == rule.domain:
            return email
    problem = f"none of your verified addresses is at {rule.domain}."
    raise CannotJoin(name=rule.partner.name, problem=problem)


def _member_of(partner: Partner, user: User, email: str, own: Sequence[str]) -> PartnerMember:
    """Return who he is in the programme, or make him a member with this address."""
    members = PartnerMember.objects.filter(partner=partner)
    found = members.filter(user=user).first() or members.filter(email=email).first()
    if found and found.user_id not in (None, user.pk):
        problem = "the address belongs to another account there. Sign in to that one."
        raise CannotJoin(name=partner.name, problem=problem)
    # Who was removed is no account's any more: any of his addresses may tell that it was he.
    # Who is active is there by the programme's will, whatever became of his other addresses.
    is_active = found is not None and found.status == Status.ACTIVE
    sent_away = members.filter(status__in=[Status.SUSPENDED, Status.LEFT])
    if not is_active and sent_away.filter(Q(user=user) | Q(email__in=own)).exists():
        problem = "you were suspended or removed there. Ask those who run it."
        raise CannotJoin(name=partner.name, problem=problem)
    if found is None:
        (found,) = add_members(partner=partner, people=[NewMember(email)])
    return found


def _check_takes_once(
    partner: Partner, rule: AwardRule, member: PartnerMember, own: Sequence[str]
) -> None:
    """Check that nobody has taken the credits by another address of the same person."""
    twins = Q()
    for email in own:
        name, _, domain = person_of(email).rpartition("@")
        twins |= _same_person("member__email", name, domain)
        twins |= _same_person("member__user__emailaddress__email", name, domain)
    taken = PartnerCredit.objects.filter(rule=rule).exclude(member=member)
    if taken.filter(twins).exists():
        problem = "you have taken its credits by another of your addresses."
        raise CannotJoin(name=partner.name, problem=problem)


def _same_person(field: str, name: str, domain: str) -> Q:
    """Return the condition that an address is this one, whatever stands after a plus sign."""
    tagged = {f"{field}__istartswith": f"{name}+", f"{field}__iendswith": f"@{domain}"}
    return Q(**{f"{field}__iexact": f"{name}@{domain}"}) | Q(**tagged)

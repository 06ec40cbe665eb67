"""Rows of another organization, one of each kind that has an id in an address."""

import re
from collections.abc import Callable, Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from apps.billing.models import BillingDocument, Payment
from apps.credits.models import CreditTransaction, Hold
from apps.credits.selectors import main_wallet
from apps.credits.services.budgets import create_budget
from apps.credits.services.holds import hold_amount
from apps.partners.models import (
    Application,
    AwardRule,
    Campaign,
    CreditRequest,
    Partner,
    PartnerCredit,
    PartnerMember,
    Upload,
)
from apps.partners.selectors import find_partner
from apps.partners.services.campaigns import Plan, create_campaign
from apps.partners.services.groups import create_group
from apps.partners.services.members import NewMember, add_members
from apps.partners.services.programmes import make_partner
from apps.partners.services.requests import request_credits
from apps.partners.services.rules import create_rule
from apps.partners.services.uploads.storing import store_upload
from apps.rbac.models import Role, Share
from apps.rbac.services.ownership import request_transfer
from apps.rbac.services.sharing import share_object
from apps.tenants.models import AuditLog, Organization, User
from tests.capacity.lines import full_project, wait
from tests.capacity.plants import allocate, hold, make_project
from tests.jobs.work import make_job, make_upload
from tests.partners.awarding import give, make_active_member
from tests.partners.programme import make_members, partner_in
from tests.people import make_key, make_member, make_person
from tests.rbac.inviting import make_invitation


def make_hold(theirs: Organization) -> Hold:
    hold_amount(wallet=main_wallet(theirs), amount=1, reference="foreign", source="test")
    return Hold.objects.get(organization=theirs)


def make_share(theirs: Organization, owner: User) -> Share:
    job = make_job(theirs, owner)
    guest = make_person()
    return share_object(by=owner, organization=theirs, object_id=job.public_id, email=guest.email)


def make_payment(theirs: Organization, owner: User) -> Payment:
    return Payment.objects.create(
        organization=theirs,
        purpose=Payment.Purpose.CUSTOM,
        credits=500,
        amount=1000,
        currency="eur",
        is_live=False,
        user=owner,
    )


def make_document(theirs: Organization, owner: User) -> BillingDocument:
    return BillingDocument.objects.create(
        organization=theirs,
        kind=BillingDocument.Kind.INVOICE,
        stripe_id="in_foreign",
        amount=1000,
        amount_due=1000,
        currency="eur",
        status=BillingDocument.Status.OPEN,
        issued_at=timezone.now(),
    )


def make_award(theirs: Organization, owner: User) -> PartnerCredit:
    (member,) = make_members(partner_in(theirs), "ada@example.com")
    return give(member, 1)


def programme_of(theirs: Organization) -> Partner:
    return find_partner(theirs) or make_partner(organization=theirs, name="Foreign")


def make_programme_member(theirs: Organization) -> PartnerMember:
    people = [NewMember("member@foreign.test")]
    return add_members(partner=programme_of(theirs), people=people)[0]


def make_campaign(theirs: Organization, owner: User) -> Campaign:
    plan = Plan(name="Foreign", budget=1, begins_at=timezone.now())
    return create_campaign(partner=programme_of(theirs), plan=plan)


def make_rule(theirs: Organization, owner: User) -> AwardRule:
    partner = programme_of(theirs)
    return create_rule(partner=partner, domain="foreign.example", credits=1)


def make_credit_request(theirs: Organization, owner: User) -> CreditRequest:
    partner = programme_of(theirs)
    return request_credits(member=make_active_member(partner), credits=1)


def make_partner_upload(theirs: Organization, owner: User) -> Upload:
    partner = find_partner(theirs) or make_partner(organization=theirs, name="Foreign")
    return store_upload(partner=partner, data=b"email,credits\nada@example.com,5\n")


# How each kind of id comes to be, in an organization with an owner.
KINDS: dict[str, Callable[[Organization, User], object]] = {
    "allocation_id": lambda theirs, owner: allocate(theirs, make_project(1), 1)[0],
    "application_id": lambda theirs, owner: Application.objects.create(
        organization=theirs, applied_by=owner, name="Foreign", expected_members=3
    ),
    "audit_id": lambda theirs, owner: AuditLog.objects.filter(organization=theirs).first(),
    "award_id": make_award,
    "budget_id": lambda theirs, owner: create_budget(wallet=main_wallet(theirs), monthly_limit=900),
    "campaign_id": make_campaign,
    "document_id": make_document,
    "file_id": lambda theirs, owner: make_job(theirs, owner).areas.get(),
    "group_id": lambda theirs, owner: create_group(partner=programme_of(theirs), name="Foreign"),
    "hold_id": lambda theirs, owner: make_hold(theirs),
    "invitation_id": make_invitation,
    "job_id": make_job,
    "key_id": lambda theirs, owner: make_key(theirs, owner, "jobs:write")[0],
    "member_id": lambda theirs, owner: make_programme_member(theirs),
    "organization": lambda theirs, owner: theirs,
    "partner_upload_id": make_partner_upload,
    "payment_id": make_payment,
    "reservation_id": lambda theirs, owner: hold(theirs, make_project(1), 1),
    "request_id": make_credit_request,
    "role_id": lambda theirs, owner: Role.objects.create(name="Foreign", organization=theirs),
    "rule_id": make_rule,
    "share_id": make_share,
    "transaction_id": lambda theirs, owner: CreditTransaction.objects.filter(
        organization=theirs
    ).first(),
    "transfer_id": lambda theirs, owner: request_transfer(
        organization=theirs, from_user=owner, to_user=make_member(theirs, "admin")
    ),
    "upload_id": make_upload,
    "user_id": lambda theirs, owner: owner,
    "waitlist_entry_id": lambda theirs, owner: wait(theirs, full_project(1)[0], 1),
}
# The name of a credit event is everybody's. A card is Stripe's, with no row of ours: another's
# is asked for in tests/billing/test_payment_methods_api.py.
NOT_OF_AN_ORGANIZATION = {"name", "method_id"}
WORDS = {  # what else stands in an address
    "answer": "accept",
    "position": "1",
    **{"project": "nowhere", "serial": "1"},  # everybody's
    **{"operation": "image.restyle", "style": "dusk", "version": "1"},  # everybody's
}


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in resolver.url_patterns:
        address = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one, address)
        else:
            yield address, one


def kinds_in(address: str) -> set[str]:
    return set(re.findall(r"<\w+:(\w+)>", address)) - {"slug"} - WORDS.keys()


def filled(address: str, ids_in_it: dict[str, str]) -> str:
    """Return the address with these ids, by their kind."""
    return "/" + re.sub(r"<\w+:(\w+)>", lambda found: ids_in_it[found[1]], address)


ADDRESSES = sorted(  # of everything that belongs to organizations
    address
    for address, _ in routes(get_resolver())
    if address.startswith(("o/<slug", "api/v1/", "organizations/"))
    and "/staff/" not in address
    and "/worker/" not in address
    and not kinds_in(address) & NOT_OF_AN_ORGANIZATION
)

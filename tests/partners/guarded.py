"""Rows that the guards of programmes are tried on: each table's, and one as good as they are."""

from datetime import UTC, datetime
from functools import partial

from apps.partners.models import (
    Application,
    AwardRule,
    Campaign,
    CreditRequest,
    MemberGroup,
    Partner,
    PartnerCredit,
    PartnerMember,
    PartnerTerms,
    Upload,
    UploadRow,
)
from apps.partners.services import applications
from apps.partners.services.campaigns import Plan, create_campaign
from apps.partners.services.groups import create_group
from apps.partners.services.requests import approve_request, decline_request, request_credits
from apps.partners.services.rules import create_rule
from apps.tenants.models import Organization
from tests.partners.awarding import give, make_active_member
from tests.partners.programme import make_members, make_programme
from tests.partners.uploading import make_upload
from tests.people import make_organization, make_person
from tests.races.guards import Guard, copy, foreign_keys, primary_keys
from tests.races.sql import ask_what_is_asked_at_commit

NOBODYS = "(SELECT id FROM tenants_organization WHERE name = 'Nobody''s')"
POOL = "(SELECT id FROM credits_wallet WHERE kind = 'organization' LIMIT 1)"  # no member's
NEW_ROW = {
    Partner: lambda **changes: copy(Partner, **{"organization_id": NOBODYS, **changes}),
    PartnerTerms: lambda **changes: copy(PartnerTerms, **{"number": "number + 1", **changes}),
    Application: partial(copy, Application, "status = 'declined'"),
    MemberGroup: lambda **changes: copy(MemberGroup, **{"name": "'forged'", **changes}),
    PartnerMember: lambda **changes: copy(
        PartnerMember,
        "status = 'invited'",
        **{"email": "'forged@example.com'", "wallet_id": POOL, "digest": "NULL", **changes},
    ),
    Campaign: lambda **changes: copy(Campaign, **{"name": "'forged'", **changes}),
    AwardRule: lambda **changes: copy(AwardRule, **{"domain": "'forged.example'", **changes}),
    PartnerCredit: lambda **changes: copy(
        PartnerCredit, **{"key": "'forged'", "reference": "'forged'", **changes}
    ),
    CreditRequest: partial(copy, CreditRequest, "status = 'declined'"),
    Upload: partial(copy, Upload),
    UploadRow: lambda **changes: copy(UploadRow, **{"number": "number + 1", **changes}),
}
TABLES = "|".join(model._meta.db_table for model in NEW_ROW)


def make_guarded_programmes() -> None:
    """Make a programme with all that goes with one, another one, and who asks to have one."""
    partner = make_programme(credits=100)
    make_programme(name="Another")
    create_group(partner=partner, name="Team")
    make_upload(partner, "cy@example.com,Cy,1")
    begins_at = datetime(2026, 1, 1, tzinfo=UTC)
    create_campaign(partner=partner, plan=Plan(name="Spring", budget=50, begins_at=begins_at))
    create_rule(partner=partner, domain="neighbours.example", credits=1)
    make_people(partner)
    apply_twice(make_organization(name="Nobody's"))
    ask_what_is_asked_at_commit()


def make_people(partner: Partner) -> None:
    """Make one who is invited, and a member with an award who asked for more, three times."""
    (invited,) = make_members(partner, "bo@example.com")
    PartnerMember.objects.filter(pk=invited.pk).update(digest=b"x" * 32)
    member, manager = make_active_member(partner), make_person()
    give(member)
    first = request_credits(member=member, credits=5)
    decline_request(request=first, by=manager, answer="Not now")
    approve_request(request=request_credits(member=member, credits=6), by=manager)
    request_credits(member=member, credits=7)


def apply_twice(organization: Organization) -> None:
    """Make an application that was declined, and one that is pending."""
    by = make_person()
    terms = {"name": "Neighbours", "expected_members": 40, "by": by}
    first = applications.apply(organization=organization, **terms)
    applications.decline(application=first, answer="Not now", by=by)
    applications.apply(organization=organization, **terms)


def keys() -> list[Guard]:
    """Return the primary and foreign keys of programmes; `copy` leaves out what a table has not."""
    somebody = {"status": "'active'", "claimed_at": "now()"}
    return primary_keys(NEW_ROW) + foreign_keys(
        NEW_ROW, {"user_id": somebody, "award_id": {"status": "'approved'"}}
    )

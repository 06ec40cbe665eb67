"""What the database refuses of programmes: for each guard a write that it alone refuses."""

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
from tests.partners.guarded import NEW_ROW, POOL
from tests.races.guards import Guard
from tests.races.refusals import append_only, refused, removals, updates

MEMBER = "(SELECT user_id FROM partners_partnermember WHERE user_id IS NOT NULL)"
SOMEBODY = (
    "(SELECT id FROM tenants_user WHERE id NOT IN"
    " (SELECT user_id FROM partners_partnermember WHERE user_id IS NOT NULL) LIMIT 1)"
)
ANOTHER = "(SELECT id FROM partners_partner WHERE name = 'Another')"
MANUAL = "(SELECT id FROM partners_partnercredit WHERE source = 'manual')"  # no request's
GIVEN = "(SELECT award_id FROM partners_creditrequest WHERE award_id IS NOT NULL)"
INVITED = "(SELECT id FROM partners_partnermember WHERE status = 'invited')"  # never asked
CLAIMED = {"status": "'active'", "claimed_at": "now()"}
check, unique = partial(refused, NEW_ROW, "check"), partial(refused, NEW_ROW, "unique")


def unsigned(model: type, column: str, instead: str = "") -> Guard:
    """Return Django's own guard on a column without sign, tried without one that asks for more."""
    table = model._meta.db_table
    beside = f"ALTER TABLE {table} DROP CONSTRAINT {instead}" if instead else ""
    return check(f"{table}_{column}_check", model, beside, **{column: "-1"})


ends_once = partial(check, "partners_request_ends_once", CreditRequest)
upload_ends = partial(check, "partners_upload_ends_once", Upload)
PROGRAMMES = [
    check("partners_status_is_known", Partner, status="'lost'"),
    unique("partners_partner_organization_id_key", Partner, organization_id="organization_id"),
    *(
        check("partners_terms_last_some_days", PartnerTerms, **{column: value})
        for column, value in (
            ("validity_days", "0"),
            ("validity_days", "3651"),
            ("claim_days", "0"),
            ("claim_days", "366"),
        )
    ),
    check("partners_terms_are_known", PartnerTerms, unused="'keep'"),
    check("partners_terms_are_known", PartnerTerms, privacy="'none'"),
    unsigned(PartnerTerms, "validity_days", "partners_terms_last_some_days"),
    unsigned(PartnerTerms, "claim_days", "partners_terms_last_some_days"),
    unsigned(PartnerTerms, "number"),
    unsigned(PartnerTerms, "seat_limit"),
    unique("partners_terms_have_no_twin", PartnerTerms, number="number"),
    *append_only(
        "partners_terms_are_append_only",
        PartnerTerms,
        "DROP TRIGGER partners_awards_stay ON partners_partnercredit",
    ),
    unsigned(Application, "expected_members"),
    unsigned(Application, "mail_attempts"),
    check("partners_application_ends_once", Application, decided_at="NULL"),
    check("partners_application_ends_once", Application, status="'lost'"),
    check(
        "partners_application_ends_once",
        Application,
        status="'pending'",
        organization_id=f"(SELECT organization_id FROM partners_partner WHERE id = {ANOTHER})",
    ),
    unique("partners_one_pending_application", Application, status="'pending'", decided_at="NULL"),
    unique("partners_group_has_its_name", MemberGroup, name="upper(name)"),
]
MEMBERS = [
    unique("partners_member_has_one_row", PartnerMember, email="email"),
    unique("partners_person_is_one_member", PartnerMember, **CLAIMED, user_id=MEMBER),
    unique(
        "partners_partnermember_digest_key",
        PartnerMember,
        digest="(SELECT digest FROM partners_partnermember WHERE digest IS NOT NULL)",
    ),
    unique("partners_partnermember_wallet_id_key", PartnerMember, wallet_id="wallet_id"),
    check("partners_address_is_in_lower_case", PartnerMember, email="'Ada@example.org'"),
    check("partners_active_member_is_somebody", PartnerMember, **CLAIMED),
    check("partners_active_member_is_somebody", PartnerMember, status="'active'", user_id=SOMEBODY),
    check("partners_invited_member_is_nobody", PartnerMember, user_id=SOMEBODY),
    check("partners_member_status_is_known", PartnerMember, status="'lost'"),
    check("partners_who_left_has_a_time", PartnerMember, status="'left'"),
    check("partners_who_left_has_a_time", PartnerMember, left_at="now()"),
    unsigned(PartnerMember, "mail_attempts"),
    unsigned(PartnerMember, "reminders"),
    *updates(
        "partners_members_keep_their_wallet",
        PartnerMember,
        f"wallet_id = {POOL} WHERE status = 'invited'",
        f"partner_id = {ANOTHER}",
    ),
]
AWARDS = [
    unique("partners_campaign_has_its_name", Campaign, name="name"),
    check("partners_campaign_stays_in_its_budget", Campaign, budget="0"),
    check("partners_campaign_stays_in_its_budget", Campaign, awarded="-1"),
    check("partners_campaign_stays_in_its_budget", Campaign, awarded="budget + 1"),
    check("partners_campaign_ends_after_it_begins", Campaign, ends_at="begins_at"),
    unique("partners_one_active_rule_per_domain", AwardRule, domain="domain"),
    check("partners_rule_awards_something", AwardRule, credits="0"),
    unique("partners_one_award_per_key", PartnerCredit, key="key"),
    unique("partners_partnercredit_reference_key", PartnerCredit, reference="reference"),
    check("partners_award_is_of_something", PartnerCredit, credits="0"),
    check("partners_award_source_is_known", PartnerCredit, source="'gift'"),
    check("partners_revoked_award_is_settled", PartnerCredit, revoked_at="now()"),
    check("partners_award_lasts_some_days", PartnerCredit, validity_days="0"),
    check("partners_award_lasts_some_days", PartnerCredit, validity_days="3651"),
    unsigned(PartnerCredit, "validity_days", "partners_award_lasts_some_days"),
    unsigned(PartnerCredit, "mail_attempts"),
    *updates(
        "partners_awards_keep_what_they_gave",
        PartnerCredit,
        "credits = credits + 1",
        "key = key || 'x'",
        f"partner_id = {ANOTHER}",
        f"member_id = {INVITED}",
        f"terms_id = (SELECT id FROM partners_partnerterms WHERE partner_id = {ANOTHER})",
    ),
    *removals("partners_awards_stay", PartnerCredit),
    check("partners_request_is_for_something", CreditRequest, credits="0"),
    ends_once(decided_at="NULL"),
    ends_once(award_id=MANUAL),
    ends_once(status="'lost'"),
    ends_once(status="'approved'"),
    ends_once(status="'approved'", award_id=MANUAL, decided_at="NULL"),
    ends_once(status="'pending'", member_id=INVITED),
    ends_once(status="'pending'", member_id=INVITED, decided_at="NULL", award_id=MANUAL),
    unique("partners_one_pending_request", CreditRequest, status="'pending'", decided_at="NULL"),
    unique(
        "partners_creditrequest_award_id_key", CreditRequest, status="'approved'", award_id=GIVEN
    ),
    unsigned(CreditRequest, "mail_attempts"),
]
UPLOADS = [
    upload_ends(ended_at="now()"),
    upload_ends(status="'done'", confirmed_at="now()"),
    upload_ends(status="'lost'", confirmed_at="now()", ended_at="now()"),
    check("partners_upload_was_confirmed", Upload, status="'confirmed'"),
    check("partners_upload_was_confirmed", Upload, status="'done'", ended_at="now()"),
    check("partners_upload_does_its_rows", Upload, done_rows="row_count + 1"),
    unsigned(Upload, "row_count", "partners_upload_does_its_rows"),
    *(unsigned(Upload, column) for column in ("size", "done_rows", "attempts")),
    unique("partners_upload_row_has_its_number", UploadRow, number="number"),
    check("partners_done_row_has_its_award", UploadRow, status="'done'"),
    check("partners_wrong_row_says_why", UploadRow, status="'wrong'"),
    check("partners_wrong_row_says_why", UploadRow, status="'failed'"),
    unsigned(UploadRow, "number"),
]
GUARDS = [*PROGRAMMES, *MEMBERS, *AWARDS, *UPLOADS]

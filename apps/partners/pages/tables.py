"""The columns of the files that lists of a programme are taken away as: heading and attribute."""

APPLICATIONS = {
    "id": "public_id",
    "programme": "name",
    "expected_members": "expected_members",
    "reason": "reason",
    "status": "status",
    "applied_at": "created_at",
    "applied_by": "applied_by.email",
    "decided_at": "decided_at",
    "answer": "answer",
}
REQUESTS = {
    "id": "public_id",
    "member": "member.public_id",
    "email": "member.email",
    "group": "member.group.name",
    "credits": "credits",
    "reason": "reason",
    "status": "status",
    "asked_at": "created_at",
    "decided_at": "decided_at",
    "decided_by": "decided_by.email",
    "answer": "answer",
    "award": "award.public_id",
    "awarded": "award.credits",
}
RULES = {
    "id": "public_id",
    "domain": "domain",
    "credits": "credits",
    "campaign": "campaign.name",
    "is_active": "is_active",
    "made_at": "created_at",
}
CAMPAIGNS = {
    "id": "public_id",
    "name": "name",
    "budget": "budget",
    "awarded": "awarded",
    "begins_at": "begins_at",
    "ends_at": "ends_at",
}
UPLOADS = {
    "id": "public_id",
    "file": "filename",
    "status": "status",
    "rows": "row_count",
    "done_rows": "done_rows",
    "credits": "credits",
    "campaign": "campaign.name",
    "uploaded_at": "created_at",
    "uploaded_by": "uploaded_by.email",
    "ended_at": "ended_at",
}
GROUPS = {"id": "public_id", "name": "name", "cost_centre": "cost_centre", "members": "size"}
TERMS = {
    "number": "number",
    "from": "created_at",
    "validity_days": "validity_days",
    "claim_days": "claim_days",
    "unused": "unused",
    "usage_shown": "privacy",
    "members_at_most": "seat_limit",
}
GROUP_NUMBERS = {
    "id": "public_id",
    "name": "name",
    "cost_centre": "cost_centre",
    **{
        name: f"handed.{name}"
        for name in ("members", "awarded", "used", "returned", "lapsed", "corrected", "left")
    },
}
CAMPAIGN_NUMBERS = {
    **CAMPAIGNS,
    **{
        name: name
        for name in ("awards", "claimed", "used", "returned", "lapsed", "corrected", "left")
    },
}

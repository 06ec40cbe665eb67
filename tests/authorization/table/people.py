"""Rows of organizations, members, keys, invitations, ownership and the audit log."""

from tests.authorization.rows import Row, Rule, api, page, shared, staff

REASON = {"reason": "matrix"}
KEY = {"name": "matrix", "scopes": ["jobs:read"], "livemode": False, "expires_at": None}
INVITED = {"email": "somebody@matrix.test", "role": "member"}
BATCH = {"emails": ["somebody@matrix.test"], "role": "member"}
ROTATION = {"overlap": "0", "lifetime": "keep", "hint": "x"}
SECURITY = {"second_factor_required": False}
SETTING, MINUTES = {"key": "support.impersonation_minutes"}, {"value": 30}


def organization(methods: str, address: str, rule: Rule, **more: object) -> Row:
    """Return a row of organizations that are named in the address, or made."""
    return Row(tuple(methods.split()), f"api/v1/organizations{address}", rule, **more)


ROWS = [
    api("GET", "organization", "organization.view"),
    api("PATCH", "organization", "organization.update", body={"description": "matrix"}),
    organization("GET", "", Rule.CALLER_API),
    organization("POST", "", Rule.PERSON_API, body={"name": "Matrix"}),
    api("GET", "organizations/<str:organization>", "organization.view"),
    api(
        "PATCH",
        "organizations/<str:organization>",
        "organization.update",
        body={"description": "matrix"},
    ),
    organization("POST", "/<str:organization>/reopen", Rule.PERSON_API, code="nothing"),
    api("POST", "organization/step-down", "organization.close"),
    api("GET", "organization/transfers", "organization.view"),
    api(
        "POST",
        "organization/transfers",
        "organization.close",
        body={"to": "{user_id}"},
        names="user_id",
        absent=409,
    ),
    api("GET", "organization/transfers/<str:transfer_id>", "organization.view"),
    api(
        "POST",
        "organization/transfers/<str:transfer_id>/accept",
        "organization.view",
        parties=("owner", "admin"),
        people_only=True,
    ),
    api(
        "POST",
        "organization/transfers/<str:transfer_id>/decline",
        "organization.view",
        parties=("owner", "admin"),
        people_only=True,
    ),
    api("POST", "organization/transfers/<str:transfer_id>/withdraw", "organization.close"),
    staff("GET", "config", "config.manage"),
    staff("GET PUT DELETE", "config/<str:key>", "config.manage", body=MINUTES, fixed=SETTING),
    staff("GET", "organizations", "organizations.manage"),
    staff("GET", "organizations/<str:organization_id>", "organizations.manage"),
    staff(
        "PATCH",
        "organizations/<str:organization_id>",
        "organizations.manage",
        body={"max_users": 50},
    ),
    staff(
        "POST",
        "organizations/<str:organization_id>/deactivate",
        "organizations.manage",
        body=REASON,
    ),
    staff(
        "POST", "organizations/<str:organization_id>/activate", "organizations.manage", body=REASON
    ),
    staff(
        "POST", "organizations/<str:organization_id>/reopen", "organizations.manage", body=REASON
    ),
    api("GET", "organization/security", "organization.view"),
    api("PUT", "organization/security", "organization.secure", body=SECURITY),
    api("GET", "me", "organization.view"),
    api("GET", "audit", "audit.view"),
    api("GET", "audit.csv", "audit.view"),
    api("GET", "audit/<str:audit_id>", "audit.view"),
    api("GET", "keys", "keys.view"),
    api("POST", "keys", "keys.manage", body=KEY),
    api("GET", "keys/<str:key_id>", "keys.view"),
    api("POST", "keys/<str:key_id>/rotate", "keys.manage"),
    api("POST", "keys/<str:key_id>/end-old-secret", "keys.manage"),
    api("POST", "keys/<str:key_id>/revoke", "keys.manage"),
    api("GET", "members", "members.view"),
    api("POST", "members/leave", "organization.view", people_only=True),
    api("GET", "members/<str:user_id>", "members.view"),
    api(
        "PATCH", "members/<str:user_id>", "members.manage", gives="member", body={"role": "member"}
    ),
    api("DELETE", "members/<str:user_id>", "members.manage"),
    api("GET", "invitations", "members.view"),
    api("POST", "invitations", "members.manage", gives="member", body=INVITED),
    api("POST", "invitations/batch", "members.manage", gives="member", body=BATCH),
    Row(
        ("POST",),
        "api/v1/invitations/accept",
        Rule.PERSON_API,
        "nothing",
        body={"token": "cof_invite_nothing"},
    ),
    api("GET", "invitations/<str:invitation_id>", "members.view"),
    api("POST", "invitations/<str:invitation_id>/resend", "members.manage", gives="member"),
    api("POST", "invitations/<str:invitation_id>/revoke", "members.manage"),
    page("GET", "start/", "organization.view"),
    page("GET", "settings/", "organization.view"),
    page("POST", "settings/", "organization.update"),
    page("GET", "audit/", "audit.view"),
    page("GET", "audit/", "audit.view", query={"format": "csv"}),
    page("GET", "ownership/", "organization.view"),
    page("POST", "ownership/offer/", "organization.close"),
    page("POST", "ownership/step-down/", "organization.close"),
    page("POST", "ownership/<str:transfer_id>/withdraw/", "organization.close"),
    page(
        "POST",
        "ownership/<str:transfer_id>/<str:answer>/",
        "organization.view",
        parties=("admin",),
        fixed={"answer": "accept"},
    ),
    page(
        "POST",
        "ownership/<str:transfer_id>/<str:answer>/",
        "organization.view",
        parties=("admin",),
        fixed={"answer": "decline"},
    ),
    page("GET", "security/", "organization.view"),
    page("POST", "security/", "organization.secure"),
    page("GET", "keys/", "keys.view"),
    page("POST", "keys/", "keys.manage"),
    page("POST", "keys/<str:key_id>/rotate/", "keys.manage", body=ROTATION),
    page("POST", "keys/<str:key_id>/end-old-secret/", "keys.manage"),
    page("POST", "keys/<str:key_id>/revoke/", "keys.manage"),
    page("GET", "members/", "members.view"),
    page("GET", "members/", "members.view", query={"format": "csv"}),
    page("POST", "members/leave/", "organization.view"),
    page("GET", "members/invitations/", "members.view"),
    page("POST", "members/invitations/", "members.manage"),
    page("POST", "members/invitations/<str:invitation_id>/resend/", "members.manage"),
    page("POST", "members/invitations/<str:invitation_id>/revoke/", "members.manage"),
    page("POST", "members/<str:user_id>/role/", "members.manage"),
    page("POST", "members/<str:user_id>/remove/", "members.manage"),
    api("GET", "permissions", "roles.view"),
    api("GET", "roles", "roles.view"),
    api("POST", "roles", "roles.manage", body={"name": "Matrix"}),
    api("GET", "roles/<str:role_id>", "roles.view"),
    api("PATCH", "roles/<str:role_id>", "roles.manage", body={"description": "matrix"}),
    api("DELETE", "roles/<str:role_id>", "roles.manage"),
    api("GET", "shares", "shares.view"),
    api(
        "POST",
        "shares",
        "shares.manage",
        body={"object_id": "{job_id}", "email": "outsider-there@matrix.test"},
        names="job_id",
        also="jobs.view",
    ),
    api("GET", "shares/<str:share_id>", "shares.view"),
    api("POST", "shares/<str:share_id>/revoke", "shares.manage"),
    page("GET", "shared/", "shares.view"),
    page("POST", "shared/", "shares.manage"),
    page("POST", "shared/<str:share_id>/revoke/", "shares.manage"),
    page("GET", "roles/", "roles.view"),
    page("POST", "roles/", "roles.manage"),
    page("GET POST", "roles/new/", "roles.manage"),
    page("GET", "roles/<str:role_id>/", "roles.view"),
    page("POST", "roles/<str:role_id>/", "roles.manage"),
    page("GET", "members/<str:user_id>/roles/", "members.view"),
    page("POST", "members/<str:user_id>/roles/", "members.manage"),
    shared("GET", "api/v1/shared"),
    shared("GET", "shared/"),
    api("GET", "organization/impersonations", "audit.view"),
    page("GET", "audit/support/", "audit.view"),
]

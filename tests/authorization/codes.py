"""Which role may do what, and which scope a key needs: declared here once more, by hand."""

ROLES = (
    "owner",
    "admin",
    "billing manager",
    "developer",
    "member",
    "read-only",
    "partner manager",
    "programme member",
)
STAFF_ROLES = ("credit clerk", "credit approver", "account manager", "support", "operator")
PEOPLE_ONLY = ""  # no scope opens it: an API key never may

_LETTERS = dict(zip("OABDMRPG", ROLES, strict=True))
_TEAM = "OABDMRP"
_EVERYBODY = _TEAM + "G"

# permission: the initials of the roles (O A B D M R P G, as above), and the scope.
_TABLE = {
    "organization.view": (_EVERYBODY, "organization:read"),
    "organization.update": ("OA", "organization:write"),
    "organization.close": ("O", PEOPLE_ONLY),
    "organization.secure": ("O", PEOPLE_ONLY),
    "members.view": ("OABMR", "members:read"),
    "members.manage": ("OA", "members:write"),
    "roles.view": ("OAMR", "members:read"),
    "roles.manage": ("OA", PEOPLE_ONLY),
    "keys.view": ("OAD", "keys:read"),
    "keys.manage": ("OAD", PEOPLE_ONLY),
    "credits.view_own": (_EVERYBODY, "usage:read"),
    "credits.view": ("OABDRP", "credits:read"),
    "credits.charge": ("OAB", "credits:write"),
    "budgets.manage": ("OAB", "budgets:write"),
    "shares.view": ("OADR", "shares:read"),
    "shares.manage": ("OAD", "shares:write"),
    "jobs.view_own": ("OABDMRG", "jobs:read"),
    "jobs.view": ("OABDMR", "jobs:read"),
    "jobs.submit": ("OADMG", "jobs:write"),
    "jobs.cancel": ("OADMG", "jobs:write"),
    "billing.view": ("OBRP", "billing:read"),
    "billing.manage": ("OBP", "billing:write"),
    "capacity.view": (_TEAM, "capacity:read"),
    "capacity.reserve": ("OAB", "capacity:write"),
    "partners.view": ("OARP", "partners:read"),
    "partners.manage": ("OAP", "partners:write"),
    "audit.view": ("OAR", "audit:read"),
}
STAFF_CODES = {
    "credits.adjust": "credit clerk",
    "credits.approve": "credit approver",
    "organizations.manage": "account manager",
    "config.manage": "operator",
    "workers.manage": "operator",
    "capacity.record": "operator",
    "people.impersonate": "support",
}
SCOPE_OF = {code: scope for code, (_, scope) in _TABLE.items()} | dict.fromkeys(STAFF_CODES, "")
TOLD = "audit.view"  # what the key may do that addresses name: admins may, developers may not
SCOPES = tuple(sorted({scope for scope in SCOPE_OF.values() if scope}))


def codes_of(role: str) -> frozenset[str]:
    """Return what a system role of organizations may do."""
    return frozenset(
        code
        for code, (letters, _) in _TABLE.items()
        if role in {_LETTERS[letter] for letter in letters}
    )


def staff_codes_of(role: str) -> frozenset[str]:
    """Return what a role of staff may do."""
    return frozenset(code for code, holder in STAFF_CODES.items() if holder == role)

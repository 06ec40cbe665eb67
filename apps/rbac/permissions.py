"""
Everything that can be done, and which system role may do it: one page.

`manage.py migrate` writes this page into the tables; staff cannot edit it there.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class PermissionCode:
    """
    Something that can be done: `resource.action`.

    `scope` is what an API key needs for it; without one, only a signed-in person may.
    A staff permission can be given by global roles alone.
    """

    code: str
    description: str
    scope: str = ""
    is_for_staff: bool = False

    @property
    def resource(self) -> str:
        """What it is done to."""
        return self.code.partition(".")[0]

    @property
    def action(self) -> str:
        """What is done."""
        return self.code.partition(".")[2]

    @property
    def follows_sandbox(self) -> bool:
        """Whether a sandbox's clock decides there: people, keys and jobs live in real time."""
        return self.resource in IN_SANDBOX


@dataclass(frozen=True)
class SystemRole:
    """A role that exists in every organization and cannot be changed."""

    name: str
    description: str
    codes: frozenset[str]


# What a page changes by these is counted as an action on money (docs/guides/rate-limits.md).
MOVES_MONEY = frozenset(
    {"credits.charge", "jobs.submit", "billing.manage", "capacity.reserve", "partners.manage"}
)
IN_SANDBOX = frozenset({"credits", "budgets", "billing", "capacity", "partners"})

PERMISSIONS = (
    PermissionCode("organization.view", "See its name and settings.", "organization:read"),
    PermissionCode("organization.update", "Change its name and settings.", "organization:write"),
    PermissionCode("organization.close", "Close it, or hand it to another owner."),
    PermissionCode("organization.secure", "Say how its members must sign in."),
    PermissionCode("members.view", "See who belongs to it.", "members:read"),
    PermissionCode("members.manage", "Invite, change and remove members.", "members:write"),
    PermissionCode("roles.view", "See roles and what they allow.", "members:read"),
    PermissionCode("roles.manage", "Make and change roles of its own."),
    PermissionCode("keys.view", "See API keys, never their secret.", "keys:read"),
    PermissionCode("keys.manage", "Make and revoke API keys."),
    PermissionCode("credits.view_own", "See the balance and what one spent oneself.", "usage:read"),
    PermissionCode("credits.view", "See the balance and every transaction.", "credits:read"),
    PermissionCode("credits.charge", "Spend credits by charge or hold.", "credits:write"),
    PermissionCode("budgets.manage", "Limit what may be used in a month.", "budgets:write"),
    PermissionCode("credits.adjust", "Correct a wallet, with a reason.", is_for_staff=True),
    PermissionCode("credits.approve", "Decide corrections of others.", is_for_staff=True),
    PermissionCode(
        "organizations.manage", "See, deactivate and reopen organizations.", is_for_staff=True
    ),
    PermissionCode(
        "people.impersonate", "Look at pages in a member's place, read-only.", is_for_staff=True
    ),
    PermissionCode("config.manage", "Set values of the whole instance.", is_for_staff=True),
    PermissionCode(
        "workers.manage", "Manage workers outside, their operations and keys.", is_for_staff=True
    ),
    PermissionCode("capacity.record", "Record what projects generate.", is_for_staff=True),
    PermissionCode("jobs.view_own", "See the jobs that one submitted oneself.", "jobs:read"),
    PermissionCode("jobs.view", "See jobs and their results.", "jobs:read"),
    PermissionCode("jobs.submit", "Submit jobs, which spends credits.", "jobs:write"),
    PermissionCode("jobs.cancel", "Cancel jobs that have not begun.", "jobs:write"),
    PermissionCode("billing.view", "See plan, payments and invoices.", "billing:read"),
    PermissionCode("billing.manage", "Buy credits; change plan and reload.", "billing:write"),
    PermissionCode("capacity.view", "See projects and allocations.", "capacity:read"),
    PermissionCode("capacity.reserve", "Reserve and give back kW blocks.", "capacity:write"),
    PermissionCode("partners.view", "See partners, members and awards.", "partners:read"),
    PermissionCode("partners.manage", "Award and take back credits of members.", "partners:write"),
    PermissionCode("shares.view", "See what is shared with people outside.", "shares:read"),
    PermissionCode("shares.manage", "Share what one sees with people outside.", "shares:write"),
    PermissionCode("audit.view", "See who did what.", "audit:read"),
)

BY_CODE = {permission.code: permission for permission in PERMISSIONS}
STAFF_CODES = frozenset(one.code for one in PERMISSIONS if one.is_for_staff)
SCOPES = tuple(sorted({permission.scope for permission in PERMISSIONS if permission.scope}))

_TENANTS = frozenset(BY_CODE) - STAFF_CODES
_LOOK_AROUND = frozenset({"organization.view", "credits.view_own"})

OWNER = SystemRole("owner", "Does everything, and answers for it.", _TENANTS)
ADMIN = SystemRole(
    "admin",
    "Runs the organization, except for what costs money and what ends it.",
    _TENANTS - {"organization.close", "organization.secure", "billing.view", "billing.manage"},
)
BILLING_MANAGER = SystemRole(
    "billing manager",
    "Buys credits and capacity, and sees where they went.",
    _LOOK_AROUND
    | {"credits.view", "credits.charge", "budgets.manage"}
    | {"billing.view", "billing.manage", "jobs.view", "jobs.view_own"}
    | {"capacity.view", "capacity.reserve", "members.view"},
)
DEVELOPER = SystemRole(
    "developer",
    "Builds on the API: keys, jobs, and what they cost.",
    _LOOK_AROUND
    | {"keys.view", "keys.manage", "jobs.view", "jobs.view_own", "jobs.submit", "jobs.cancel"}
    | {"credits.view", "capacity.view", "shares.view", "shares.manage"},
)
MEMBER = SystemRole(
    "member",
    "Submits jobs and sees what he spent.",
    _LOOK_AROUND
    | {"jobs.view", "jobs.view_own", "jobs.submit", "jobs.cancel"}
    | {"members.view", "roles.view", "capacity.view"},
)
READ_ONLY = SystemRole(
    "read-only",
    "Sees everything except keys, and changes nothing.",
    _LOOK_AROUND
    | {"credits.view", "billing.view", "jobs.view", "jobs.view_own"}
    | {"capacity.view", "partners.view"}
    | {"members.view", "roles.view", "shares.view", "audit.view"},
)
PARTNER_MANAGER = SystemRole(
    "partner manager",
    "Buys credits for the pool and hands them to members of the programme.",
    _LOOK_AROUND
    | {"credits.view", "partners.view", "partners.manage"}
    | {"billing.view", "billing.manage", "capacity.view"},
)
PROGRAMME_MEMBER = SystemRole(
    "programme member",
    "Spends credits that a partner gave him, and sees what he spent.",
    _LOOK_AROUND | {"jobs.view_own", "jobs.submit", "jobs.cancel"},
)
SYSTEM_ROLES = (
    *(OWNER, ADMIN, BILLING_MANAGER, DEVELOPER, MEMBER, READ_ONLY),
    *(PARTNER_MANAGER, PROGRAMME_MEMBER),
)
# Whoever has no other role has no seat in the organization, and no share in its credits.
WITHOUT_SEAT = frozenset({PROGRAMME_MEMBER.name})

# Given without an organization, to people who may open the admin. Two roles and not one, so
# that an instance can keep asking and agreeing in different hands.
CREDIT_CLERK = SystemRole(
    "credit clerk", "Staff: corrects wallets, with a reason.", frozenset({"credits.adjust"})
)
CREDIT_APPROVER = SystemRole(
    "credit approver",
    "Staff: decides the corrections of others.",
    frozenset({"credits.approve"}),
)
ACCOUNT_MANAGER = SystemRole(
    "account manager",
    "Staff: sees every organization, shuts it out and lets it in again.",
    frozenset({"organizations.manage"}),
)
SUPPORT = SystemRole(
    "support",
    "Staff: looks at pages in a member's place, read-only and with a reason.",
    frozenset({"people.impersonate"}),
)
OPERATOR = SystemRole(
    "operator",
    "Staff: sets values of the whole instance, manages workers, records what projects generate.",
    frozenset({"config.manage", "workers.manage", "capacity.record"}),
)
STAFF_ROLES = (CREDIT_CLERK, CREDIT_APPROVER, ACCOUNT_MANAGER, SUPPORT, OPERATOR)

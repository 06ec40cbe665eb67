"""Read who belongs where and may do what. Nothing here writes."""

from apps.rbac.selectors.impersonations import impersonations_in, late_impersonations
from apps.rbac.selectors.invitations import invitations_in, invitations_of
from apps.rbac.selectors.keys import api_keys_of, with_makers
from apps.rbac.selectors.organizations import (
    closed_organization_of,
    closed_organizations_of,
    organization_named,
    organization_of_member,
    organization_that_moved,
    organizations_of,
)
from apps.rbac.selectors.ownership import offers_to, open_transfer_of, owners_of, transfers_of
from apps.rbac.selectors.people import (
    CHUNK,
    MEMBER_COLUMNS,
    member_rows,
    members_of,
    members_with,
    members_without_second_factor,
    membership_of,
    memberships_of,
)
from apps.rbac.selectors.roles import (
    IS_OWNER,
    codes_of,
    find_role,
    held_by,
    holder_counts,
    holders_of,
    permissions_of,
    role_in,
    roles_in,
    roles_of,
    roles_of_member,
    roles_within,
)
from apps.rbac.selectors.seats import Seats, seat_of, seats_of
from apps.rbac.selectors.sharing import (
    is_shared_with,
    shared_objects,
    shares_of,
    shares_with,
)

__all__ = [
    "CHUNK",
    "IS_OWNER",
    "MEMBER_COLUMNS",
    "Seats",
    "api_keys_of",
    "closed_organization_of",
    "closed_organizations_of",
    "codes_of",
    "find_role",
    "held_by",
    "holder_counts",
    "holders_of",
    "impersonations_in",
    "invitations_in",
    "invitations_of",
    "is_shared_with",
    "late_impersonations",
    "member_rows",
    "members_of",
    "members_with",
    "members_without_second_factor",
    "membership_of",
    "memberships_of",
    "offers_to",
    "open_transfer_of",
    "organization_named",
    "organization_of_member",
    "organization_that_moved",
    "organizations_of",
    "owners_of",
    "permissions_of",
    "role_in",
    "roles_in",
    "roles_of",
    "roles_of_member",
    "roles_within",
    "seat_of",
    "seats_of",
    "shared_objects",
    "shares_of",
    "shares_with",
    "transfers_of",
    "with_makers",
]

"""Who may do what, where."""

from apps.rbac.models.invitations import Invitation, LastSeen
from apps.rbac.models.keys import EXPIRING, ApiKey
from apps.rbac.models.ownership import OwnershipTransfer
from apps.rbac.models.roles import Permission, Role, RolePermission, UserRole

__all__ = [
    "EXPIRING",
    "ApiKey",
    "Invitation",
    "LastSeen",
    "OwnershipTransfer",
    "Permission",
    "Role",
    "RolePermission",
    "UserRole",
]

"""Who may do what, where."""

from apps.rbac.models.erasures import Erasure
from apps.rbac.models.exports import PersonalExport
from apps.rbac.models.impersonations import Impersonation
from apps.rbac.models.invitations import Invitation, LastSeen
from apps.rbac.models.keys import EXPIRING, ApiKey
from apps.rbac.models.ownership import OwnershipTransfer
from apps.rbac.models.roles import Permission, Role, RolePermission, UserRole
from apps.rbac.models.sharing import SHARED_WITH_ME, Share

__all__ = [
    "EXPIRING",
    "SHARED_WITH_ME",
    "ApiKey",
    "Erasure",
    "Impersonation",
    "Invitation",
    "LastSeen",
    "OwnershipTransfer",
    "Permission",
    "PersonalExport",
    "Role",
    "RolePermission",
    "Share",
    "UserRole",
]

"""Staff pages of access."""

from apps.rbac.admin.assignments import UserRoleAdmin
from apps.rbac.admin.erasures import ErasureAdmin, PersonalExportAdmin
from apps.rbac.admin.impersonations import ImpersonationAdmin, PersonAdmin
from apps.rbac.admin.invitations import InvitationAdmin
from apps.rbac.admin.keys import ApiKeyAdmin, PermissionAdmin
from apps.rbac.admin.roles import RoleAdmin
from apps.rbac.admin.shares import ShareAdmin

__all__ = [
    "ApiKeyAdmin",
    "ErasureAdmin",
    "ImpersonationAdmin",
    "InvitationAdmin",
    "PermissionAdmin",
    "PersonAdmin",
    "PersonalExportAdmin",
    "RoleAdmin",
    "ShareAdmin",
    "UserRoleAdmin",
]

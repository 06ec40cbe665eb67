"""Staff pages of people, organizations and the audit log."""

from apps.tenants.admin.accounts import EmailAddressAdmin, GroupAdmin
from apps.tenants.admin.base import AuditedAdmin, organization_of, tell_once_committed
from apps.tenants.admin.log import AdminConfigAdmin, AuditLogAdmin
from apps.tenants.admin.organizations import (
    STANDINGS,
    OrganizationAddForm,
    OrganizationAdmin,
    OrganizationChangeForm,
)
from apps.tenants.admin.outbox import OutboxEventAdmin
from apps.tenants.admin.people import NewPersonForm, PersonForm, UserAdmin
from apps.tenants.admin.sign_in import AuthenticatorAdmin, SignInAdmin, UserSessionAdmin

__all__ = [
    "STANDINGS",
    "AdminConfigAdmin",
    "AuditLogAdmin",
    "AuditedAdmin",
    "AuthenticatorAdmin",
    "EmailAddressAdmin",
    "GroupAdmin",
    "NewPersonForm",
    "OrganizationAddForm",
    "OrganizationAdmin",
    "OrganizationChangeForm",
    "OutboxEventAdmin",
    "PersonForm",
    "SignInAdmin",
    "UserAdmin",
    "UserSessionAdmin",
    "organization_of",
    "tell_once_committed",
]

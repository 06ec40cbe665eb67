"""Organizations, the people in them, the record of what was done, and what others are told."""

from apps.tenants.models.audit import AuditChain, AuditLog, AuditSeal, PersonalValue
from apps.tenants.models.config import AdminConfig
from apps.tenants.models.organizations import Organization, OrganizationSlug, User
from apps.tenants.models.outbox import OutboxEvent

__all__ = [
    "AdminConfig",
    "AuditChain",
    "AuditLog",
    "AuditSeal",
    "Organization",
    "OrganizationSlug",
    "OutboxEvent",
    "PersonalValue",
    "User",
]

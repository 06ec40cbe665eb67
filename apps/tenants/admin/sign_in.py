"""Staff pages of how people sign in."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from apps.tenants.admin.base import AuditedAdmin, tell_once_committed
from apps.tenants.services import audit
from apps.tenants.services.sessions import end_session

admin.site.unregister([Authenticator, UserSession])  # allauth's own show secrets


class SignInAdmin(AuditedAdmin[Any]):
    """Shows what lets people in and lets staff take it away, never make or change it."""

    ordering = ["-created_at"]
    list_select_related = ["user"]
    search_fields = ["user__email"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: only the person himself does that."""
        return False

    has_change_permission = has_add_permission

    def record(self, obj: Any, verb: str, **facts: Any) -> None:
        """Write the audit row on the person; what is secret is not kept."""
        audit.record(
            action=f"{obj._meta.model_name}.{verb}",
            object_id=obj.user.public_id,
            before={name: str(getattr(obj, name)) for name in self.fields},
            reason="back office",
        )


@admin.register(Authenticator)
class AuthenticatorAdmin(SignInAdmin):
    """Second factors: removed where somebody has lost his and has shown who he is."""

    fields = ["user", "type", "created_at", "last_used_at"]
    list_display = fields
    list_filter = ["type"]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Remove one, and tell the person."""
        self.delete_queryset(request, [obj])

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Remove all or none, and tell each person once the removal is committed."""
        factors = list(queryset)
        people = {factor.user for factor in factors}
        for factor in factors:
            super().delete_model(request, factor)
        for person in people:
            tell_once_committed(request, "account/email/second_factor_removed", person)


@admin.register(UserSession)
class UserSessionAdmin(SignInAdmin):
    """Where people are signed in."""

    fields = ["user", "ip", "user_agent", "created_at", "last_seen_at"]
    list_display = fields
    ordering = ["-last_seen_at"]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Sign the person out there."""
        end_session(user=obj.user, session=obj)

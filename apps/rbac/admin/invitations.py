"""Staff pages of invitations."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.admin import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.rbac.models import Invitation
from apps.rbac.services import invitations


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    """Who was invited where by whom; never a link, and never its digest."""

    list_display = [
        "created_at",
        "email",
        "organization",
        "role",
        "invited_by",
        "state",
        "expires_at",
        "sent_at",
        "resends",
        "mail_attempts",
    ]
    list_filter = ["status", ("sent_at", admin.EmptyFieldListFilter)]
    search_fields = ["email", "organization__name", "organization__slug", "invited_by__email"]
    search_help_text = "Address, organization or inviter"
    list_select_related = ["organization", "role", "invited_by"]
    ordering = ["-created_at", "-id"]
    exclude = ["digest"]
    actions = ["revoke"]

    @admin.action(description="Revoke: their links open nothing any more", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Revoke the chosen ones through the service, which writes the audit rows."""
        for one in queryset:
            try:
                invitations.revoke(invitation=one)
            except DomainError as error:
                messages.error(request, f"{one.email}: {error}")
            else:
                messages.success(request, f"The invitation of {one.email} is revoked.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Let those revoke invitations who may change them in Django's own permissions."""
        return request.user.has_perm("rbac.change_invitation")

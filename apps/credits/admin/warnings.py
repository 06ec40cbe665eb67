"""Staff pages of the warnings before credits expire."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.credits.models import ExpiryWarning


@admin.register(ExpiryWarning)
class ExpiryWarningAdmin(ReadOnlyAdmin[ExpiryWarning]):
    """Who was warned of which credits, how long before their end, and when."""

    list_display = ["created_at", "organization", "lot", "days", "amount", "status"]
    list_display += ["mail_attempts", "sent_at", "public_id"]
    list_filter = [("sent_at", admin.EmptyFieldListFilter), "days"]
    search_fields = ["organization__name", "organization__slug", "lot__origin"]
    list_select_related = ["organization", "lot"]
    ordering = ["-created_at", "-id"]

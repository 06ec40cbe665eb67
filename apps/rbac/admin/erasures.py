"""Staff pages of erasures and personal exports: how far they are, never what is in a file."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.rbac.models import Erasure, PersonalExport


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin[Erasure]):
    """Who asked to be erased, when it is due, and what stands against it."""

    list_display = ["created_at", "user", "status", "due_at", "ended_at", "refusal", "refused_at"]
    list_filter = ["status", "refusal"]
    search_fields = ["user__email"]
    list_select_related = ["user"]
    ordering = ["-created_at", "-id"]


@admin.register(PersonalExport)
class PersonalExportAdmin(ReadOnlyAdmin[PersonalExport]):
    """Which files people asked for. Nobody but the person himself opens one."""

    list_display = ["created_at", "user", "status", "progress", "rows", "size", "expires_at"]
    list_filter = ["status"]
    search_fields = ["user__email"]
    list_select_related = ["user"]
    ordering = ["-created_at", "-id"]
    exclude = ["file", "sha256"]

"""Staff pages of jobs: everything can be seen, nothing can be edited."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.jobs.models import BlobUpload, GenerationJob


@admin.register(GenerationJob)
class GenerationJobAdmin(ReadOnlyAdmin[GenerationJob]):
    """Jobs of every organization; the ledger is searched by a job's id."""

    list_display = [
        "public_id",
        "organization",
        "operation_type",
        "status",
        "cost",
        "payment_type",
        "attempts",
        "error_code",
        "user",
        "created_at",
        "completed_at",
    ]
    list_filter = ["status", "operation_type", "payment_type"]
    search_fields = ["organization__name", "organization__slug", "user__email", "charge_reference"]
    list_select_related = ["organization", "user"]
    ordering = ["-created_at"]


@admin.register(BlobUpload)
class BlobUploadAdmin(ReadOnlyAdmin[BlobUpload]):
    """Pictures that customers uploaded."""

    list_display = [
        "public_id",
        "organization",
        "filename",
        "content_type",
        "size",
        "width",
        "height",
        "created_at",
        "expires_at",
    ]
    list_filter = ["content_type"]
    search_fields = ["organization__name", "organization__slug", "filename"]
    list_select_related = ["organization"]
    ordering = ["-created_at"]

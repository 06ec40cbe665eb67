"""Staff pages of jobs and uploads: everything can be seen, nothing can be edited."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.jobs.models import Attempt, BlobUpload, GenerationArea, GenerationJob, OrganizationQueue


@admin.register(GenerationJob)
class GenerationJobAdmin(ReadOnlyAdmin[GenerationJob]):
    """Jobs of every organization; the ledger is searched by a job's id."""

    list_display = [
        "public_id",
        "organization",
        "operation_type",
        "status",
        "area_count",
        "completed_areas",
        "failed_areas",
        "cost",
        "refunded",
        "payment_type",
        "user",
        "created_at",
        "completed_at",
        "deadline",
    ]
    list_filter = ["status", "operation_type", "payment_type"]
    search_fields = ["organization__name", "organization__slug", "user__email"]
    list_select_related = ["organization", "user"]
    ordering = ["-created_at"]


@admin.register(GenerationArea)
class GenerationAreaAdmin(ReadOnlyAdmin[GenerationArea]):
    """The pieces of jobs: which wait, who works on which, and why some failed."""

    list_display = [
        "public_id",
        "organization",
        "job",
        "position",
        "status",
        "progress",
        "attempt_number",
        "claims",
        "worker",
        "claimed_until",
        "price",
        "payment_type",
        "error_code",
        "created_at",
        "completed_at",
    ]
    list_filter = ["status", "operation_type", "payment_type", "error_code"]
    search_fields = ["organization__name", "organization__slug", "job__id", "worker"]
    list_select_related = ["organization", "job"]
    ordering = ["-created_at"]


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin[Attempt]):
    """What paid for each try of an area; found by the reference that the ledger has."""

    list_display = [
        "public_id",
        "organization",
        "area",
        "number",
        "outcome",
        "payment_type",
        "cost",
        "refunded",
        "charge_reference",
        "created_at",
        "ended_at",
    ]
    list_filter = ["outcome", "payment_type"]
    search_fields = ["organization__name", "organization__slug", "charge_reference"]
    list_select_related = ["organization", "area"]
    ordering = ["-created_at"]


@admin.register(OrganizationQueue)
class OrganizationQueueAdmin(ReadOnlyAdmin[OrganizationQueue]):
    """Whose turn it is, and how many areas of each organization may run at once."""

    list_display = ["organization", "concurrency", "last_claimed_at"]
    search_fields = ["organization__name", "organization__slug"]
    list_select_related = ["organization"]
    ordering = ["last_claimed_at"]


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

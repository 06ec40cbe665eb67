"""Staff pages of uploads: what each did row by row, what was wrong, and undoing it."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import action, display

from apps.core import scope
from apps.core.admin import ExportingAdmin
from apps.partners.admin.base import AskingAdmin
from apps.partners.admin.forms import ReasonForm
from apps.partners.models import Upload, UploadRow
from apps.partners.services.uploads.undoing import to_take_back, undo_upload

COLOURS = {
    "Done": "success",
    "Refused": "danger",
    "Confirmed": "info",
    "Wrong": "danger",
    "Failed": "danger",
}


@admin.register(Upload)
class UploadAdmin(AskingAdmin[Upload]):
    """Every file by which credits were handed on, or were to be."""

    list_display = [
        *("filename", "partner", "state", "mode", "row_count", "done_rows", "credits"),
        *("uploaded_by", "confirmed_by", "created_at", "ended_at"),
    ]
    list_filter = ["status", "mode"]
    list_select_related = ["partner", "uploaded_by", "confirmed_by"]
    search_fields = ["partner__name", "organization__slug", "batch"]
    search_help_text = "Programme, organization or batch"
    ordering = ["-created_at", "-id"]
    exclude = ["sha256"]
    csv_columns = [
        *("public_id", "created_at", "partner.public_id", "partner.name", "filename", "batch"),
        *("status", "mode", "row_count", "done_rows", "credits", "uploaded_by.email"),
        *("confirmed_by.email", "confirmed_at", "ended_at", "problem"),
    ]
    actions_detail = ["show_rows", "undo"]

    @display(description="status", label=COLOURS)  # type: ignore[untyped-decorator]  # of Unfold
    def state(self, upload: Upload) -> str:
        """Say how far it is."""
        return upload.get_status_display()

    def has_undo_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those undo uploads who may change them in Django's own permissions."""
        return request.user.has_perm("partners.change_upload")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Rows", url_path="rows", icon="list", permissions=["view"]
    )
    def show_rows(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to its rows."""
        row = self.row_of(request, object_id)
        rows = reverse("admin:partners_uploadrow_changelist")
        return redirect(f"{rows}?upload__id__exact={row.pk}")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Undo", url_path="undo", icon="undo", permissions=["undo"]
    )
    def undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take back what is not used of each of its awards."""
        row = self.row_of(request, object_id)

        def do(form: ReasonForm) -> str:
            undone = undo_upload(upload=row, reason=form.cleaned_data["reason"])
            return f"The upload is undone: {undone.credits:,} credits were taken back."

        with scope.within(row.organization.pk, row.organization.clock_at):
            credits = to_take_back(row)
        text = (
            f"{credits:,} credits are not used, and are taken back: they return to the pool or "
            "lapse by the terms of each award. What is used stays used, members stay members, "
            "and the same file does not hand on again."
        )
        frame = {"title": f"Undo {row.filename or row.public_id}", "text": text, "button": "Undo"}
        return self.ask_and_do(
            request,
            row=row,
            form=ReasonForm(request.POST or None),
            frame=frame,
            do=do,
            may=self.has_undo_permission(request),
        )


@admin.register(UploadRow)
class UploadRowAdmin(ExportingAdmin[UploadRow]):
    """The rows of files: what each says, what was wrong, and what became of it."""

    list_display = ["upload", "number", "email", "credits", "state", "problems", "award"]
    list_filter = ["status"]
    list_select_related = ["upload", "member", "award", "award__member"]
    search_fields = ["email", "upload__filename", "organization__slug"]
    search_help_text = "Address, file or organization"
    ordering = ["-upload_id", "number"]
    csv_columns = [
        *("upload.public_id", "number", "email", "credits", "status", "member.public_id"),
        *("award.public_id", "problems"),
    ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let an upload lead to its rows."""
        return lookup == "upload__id__exact" or super().lookup_allowed(lookup, value, request)

    @display(description="status", label=COLOURS)  # type: ignore[untyped-decorator]  # of Unfold
    def state(self, row: UploadRow) -> str:
        """Say what became of it."""
        return row.get_status_display()

"""Staff pages of workers outside: what they can do, their keys, and what they took."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.core.admin import ReadOnlyAdmin
from apps.jobs.models import ExternalOperation, WorkerClaim, WorkerKey
from apps.jobs.services import external_operations, worker_keys
from apps.rbac.admin.base import ServiceAdmin, staff_of

MANAGE = "workers.manage"


class WorkersAdmin[M: (ExternalOperation, WorkerKey)](ServiceAdmin[M]):
    """Shown to those who manage workers, and to nobody else; nothing is ever deleted."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show it on the first page to whoever may come in."""
        return request.user.has_perm(MANAGE)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Let in whoever manages workers."""
        return request.user.has_perm(MANAGE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let him add."""
        return request.user.has_perm(MANAGE)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Let him change what can be changed."""
        return request.user.has_perm(MANAGE)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Refuse: jobs and claims point at it."""
        return False

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> None:
        """Write nothing: the audit log has it."""


@admin.register(ExternalOperation)
class ExternalOperationAdmin(WorkersAdmin[ExternalOperation]):
    """Operations that only workers outside do; to be sold, each needs a price."""

    fields = ["code", "name", "description", "parameters", "most_pixels", "is_active"]
    list_display = ["code", "name", "most_pixels", "is_active", "updated_at"]
    list_filter = ["is_active"]
    search_fields = ["code", "name"]
    ordering = ["code"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: ExternalOperation | None = None
    ) -> list[str]:
        """Keep code and size as they are: jobs and holds go by them."""
        return ["code", "most_pixels"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: ExternalOperation, form: Any, change: bool
    ) -> None:
        """Make or change it through the service."""
        if change:
            saved = external_operations.change_operation(operation=obj, **form.cleaned_data)
        else:
            saved = external_operations.make_operation(**form.cleaned_data)
        obj.__dict__.update(saved.__dict__)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show a refusal in words."""
        return self.tell(request, super().change_view, *args, back_to=request.path, **kwargs)


class WorkerKeyForm(forms.ModelForm[WorkerKey]):
    """For which operations a key is, and until when."""

    operations = forms.MultipleChoiceField(widget=UnfoldAdminCheckboxSelectMultipleWidget)

    class Meta:
        model = WorkerKey
        fields = ["name", "operations", "expires_at"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        operations: Any = self.fields["operations"]
        rows = ExternalOperation.objects.order_by("code")
        operations.choices = [(one.code, f"{one.name} ({one.code})") for one in rows]


@admin.register(WorkerKey)
class WorkerKeyAdmin(WorkersAdmin[WorkerKey]):
    """Keys of workers: made and revoked here, and their secret shown once."""

    form = WorkerKeyForm
    list_display = [
        "hint",
        "name",
        "operations",
        "created_by",
        "status",
        "last_used_at",
        "expires_at",
        "revoked_at",
    ]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "hint"]
    list_select_related = ["created_by"]
    ordering = ["-created_at"]
    actions = ["revoke"]

    def has_change_permission(self, request: HttpRequest, obj: WorkerKey | None = None) -> bool:
        """Refuse: a key that should do something else is revoked, and another one made."""
        return False

    def get_fields(self, request: HttpRequest, obj: WorkerKey | None = None) -> list[str]:
        """Ask for what a key is for; of one that is there, show all but the digest."""
        return ["name", "operations", "expires_at"] if obj is None else list(self.list_display)

    def save_model(self, request: HttpRequest, obj: WorkerKey, form: Any, change: bool) -> None:
        """Make it through the service, and keep its secret for the answer to this request."""
        made, secret = worker_keys.create_worker_key(
            created_by=staff_of(request), **form.cleaned_data
        )
        obj.__dict__.update(made.__dict__)
        request.worker_secret = secret  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: WorkerKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret in the answer: it is in no session and no address."""
        secret: str = request.worker_secret  # type: ignore[attr-defined]
        context = {**self.admin_site.each_context(request), "key": obj, "secret": secret}
        answer = TemplateResponse(request, "admin/jobs/key.html", context)
        add_never_cache_headers(answer)
        return answer

    @admin.action(description="Revoke: they stop working at once", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        """Revoke the chosen keys through the service, which writes the audit rows."""
        for key in queryset:
            worker_keys.revoke_worker_key(key=key)
        messages.success(request, "The keys are revoked.")


@admin.register(WorkerClaim)
class WorkerClaimAdmin(ReadOnlyAdmin[WorkerClaim]):
    """Which worker took what; how it ended stands on the area."""

    exclude = ["digest"]
    list_display = ["public_id", "organization", "area", "worker_key", "outcome", "created_at"]
    list_filter = ["outcome", "worker_key"]
    search_fields = ["organization__name", "organization__slug", "worker_key__name"]
    list_select_related = ["organization", "area", "worker_key"]
    ordering = ["-created_at"]

"""Staff pages of the audit log and of values that staff set."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateTimeFilter
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.admin import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.tenants.admin.base import AuditedAdmin
from apps.tenants.models import AdminConfig, AuditLog, User
from apps.tenants.selectors.config import known_settings, setting_named
from apps.tenants.services.config import reset_config, set_config


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin[AuditLog]):
    """What was done, by whom; never changed."""

    list_display = [
        "created_at",
        "organization",
        "actor",
        "acting_as",
        "action",
        "object_id",
        "result",
        "request_id",
        "place",
    ]
    list_filter = [
        "result",
        ("actor", FieldTextFilter),
        ("action", FieldTextFilter),
        ("object_id", FieldTextFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    search_fields = ["actor", "action", "object_id", "request_id", "organization__slug", "reason"]
    search_help_text = "Actor, action, object, request, reason or organization"
    list_select_related = ["organization", "seal"]
    ordering = ["-created_at", "-id"]
    readonly_fields = ["place", "entry_hash"]

    @admin.display(description="place")
    def place(self, row: AuditLog) -> int | None:
        """Tell the row's place in its chain."""
        return row.seal.sequence if hasattr(row, "seal") else None

    @admin.display(description="hash")
    def entry_hash(self, row: AuditLog) -> str:
        """Tell the hash that seals the row and all before it."""
        return bytes(row.seal.entry_hash).hex() if hasattr(row, "seal") else ""


class ConfigForm(forms.ModelForm[AdminConfig]):
    """One of the values that can be set, of its type."""

    class Meta:
        model = AdminConfig
        fields = ["key", "value"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            taken = set(AdminConfig.objects.values_list("key", flat=True))
            choices = [(one.key, one.key) for one in known_settings() if one.key not in taken]
            self.fields["key"] = forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget)

    def clean(self) -> dict[str, Any] | None:
        """Refuse a value of another type or size."""
        key = self.cleaned_data.get("key") or self.instance.key
        if key and "value" in self.cleaned_data:
            try:
                setting_named(key).check(self.cleaned_data["value"])
            except DomainError as refusal:
                self.add_error("value", str(refusal))
        return self.cleaned_data


@admin.register(AdminConfig)
class AdminConfigAdmin(AuditedAdmin[AdminConfig]):
    """Values that staff set while the instance runs; a deleted one has its default again."""

    form = ConfigForm
    list_display = ["key", "value", "meaning", "requires_admin", "updated_at"]
    search_fields = ["key"]
    ordering = ["key"]
    readonly_fields = ["meaning", "requires_admin", "updated_at"]
    fields = ["key", "value", "meaning", "requires_admin", "updated_at"]

    @admin.display(description="what it is")
    def meaning(self, row: AdminConfig) -> str:
        """Say what the value is for, and what it may be."""
        known = {one.key: one for one in known_settings()}.get(row.key)
        return f"{known.description} It takes {known.rule}." if known else ""

    def get_readonly_fields(
        self, request: HttpRequest, obj: AdminConfig | None = None
    ) -> list[str]:
        """Let a key stay what it is."""
        return self.readonly_fields if obj is None else ["key", *self.readonly_fields]

    def has_change_permission(self, request: HttpRequest, obj: AdminConfig | None = None) -> bool:
        """Let only superusers change what needs them."""
        needs_super = obj is not None and obj.requires_admin
        if needs_super and not getattr(request.user, "is_superuser", False):
            return False
        return bool(super().has_change_permission(request, obj))

    has_delete_permission = has_change_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Leave it to superusers, because many of the values need one."""
        return bool(super().has_add_permission(request)) and bool(
            getattr(request.user, "is_superuser", False)
        )

    def save_model(self, request: HttpRequest, obj: AdminConfig, form: Any, change: bool) -> None:
        """Set it through the service, which writes the audit row."""
        assert isinstance(request.user, User)
        saved = set_config(key=obj.key, value=form.cleaned_data["value"], by=request.user)
        obj.requires_admin, obj._state.adding = saved.requires_admin, False

    def delete_model(self, request: HttpRequest, obj: AdminConfig) -> None:
        """Go back to the default through the service."""
        assert isinstance(request.user, User)
        if obj.key in {one.key for one in known_settings()}:
            reset_config(key=obj.key, by=request.user)
        else:
            super().delete_model(request, obj)

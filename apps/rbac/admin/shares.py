"""Staff pages of what is shared with people outside."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from apps.core.errors import DomainError
from apps.rbac.admin.base import ServiceAdmin, staff_of
from apps.rbac.models import Share
from apps.rbac.services.sharing import find_object, revoke_share, share_object


class ShareForm(forms.ModelForm[Share]):
    """What to share, with whom, until when."""

    shared_id = forms.CharField(
        label="Id of what is shared", help_text="job_…", widget=UnfoldAdminTextInputWidget
    )
    email = forms.EmailField(
        label="With whom", help_text="A person outside.", widget=UnfoldAdminEmailInputWidget
    )

    class Meta:
        model = Share
        fields = ["expires_at"]

    def clean_shared_id(self) -> str:
        """Find the object, of whichever organization."""
        public_id: str = self.cleaned_data["shared_id"].strip()
        try:
            _, shared = find_object(public_id)
        except DomainError as refusal:
            raise forms.ValidationError(str(refusal), refusal.code) from refusal
        self.organization = getattr(shared, "organization", None)
        return public_id


@admin.register(Share)
class ShareAdmin(ServiceAdmin[Share]):
    """What organizations share with people outside; staff share and take back by the services."""

    form = ShareForm
    fields = ["shared_id", "email", "expires_at"]
    list_display = [
        "shared",
        "organization",
        "user",
        "shared_by",
        "created_at",
        "expires_at",
        "revoked_at",
    ]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "content_type"]
    search_fields = ["user__email", "organization__name", "organization__slug"]
    list_select_related = ["organization", "user", "shared_by", "content_type"]
    ordering = ["-created_at"]
    actions = ["take_back"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Share]:
        """Fetch what is shared along with the rows."""
        rows: QuerySet[Share] = super().get_queryset(request)
        people = rows.select_related("organization", "user", "shared_by", "content_type")
        return people.prefetch_related("shared")

    def has_change_permission(self, request: HttpRequest, obj: Share | None = None) -> bool:
        """Refuse: what is shared again takes the new expiry."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Share | None = None) -> bool:
        """Refuse: rows tell what was shared, so they are taken back instead."""
        return False

    def get_fields(self, request: HttpRequest, obj: Share | None = None) -> list[str]:
        """Ask for what is shared and with whom; show the row of what was."""
        return self.fields if obj is None else self.list_display

    def save_model(self, request: HttpRequest, obj: Share, form: Any, change: bool) -> None:
        """Share it through the service."""
        made = share_object(
            by=staff_of(request),
            organization=form.organization,
            object_id=form.cleaned_data["shared_id"],
            email=form.cleaned_data["email"],
            expires_at=form.cleaned_data["expires_at"],
        )
        obj.__dict__.update(made.__dict__)

    @admin.action(description="Take back: the person sees it no more", permissions=["add"])
    @transaction.atomic
    def take_back(self, request: HttpRequest, queryset: QuerySet[Share]) -> None:
        """Take back the chosen shares through the service, which writes the audit rows."""
        for share in queryset:
            revoke_share(by=staff_of(request), share=share)
        messages.success(request, "The shares are taken back.")

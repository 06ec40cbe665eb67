"""The frame of staff pages that write through services and tell their refusals in words."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from unfold.admin import ModelAdmin

from apps.core.errors import DomainError, PermissionDenied
from apps.core.routes import object_of, route_of
from apps.tenants.models import User
from apps.tenants.services.denials import record_denial


def staff_of(request: HttpRequest) -> User:
    """Return the member of staff who is signed in; the admin asks for sign-in first."""
    assert isinstance(request.user, User)
    return request.user


class ServiceAdmin[M: Model](ModelAdmin):  # type: ignore[misc]  # Unfold is untyped
    """
    Adds and deletes through services, which ask whether this person may, and write audit rows.

    Classes of it say how in `save_model` and `delete_model`.
    """

    show_full_result_count = False
    list_per_page = 50

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        """Delete one by one, so that each is asked for and leaves its row: all or none."""
        for obj in queryset:
            self.delete_model(request, obj)

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> None:
        """Write nothing: the audit log has it."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        """Write nothing: the audit log has it."""

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show a refusal in words."""
        return self.tell(request, super().add_view, *args, back_to=request.path, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show a refusal in words."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        return self.tell(request, super().delete_view, *args, back_to=reverse(name), **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show a refusal of an action in words."""
        return self.tell(request, super().changelist_view, *args, back_to=request.path, **kwargs)

    def tell(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        *args: Any,
        back_to: str,
        **kwargs: Any,
    ) -> HttpResponseBase:
        """Answer with the view, or write down what was denied and lead back with the reason."""
        try:
            return view(request, *args, **kwargs)
        except DomainError as refusal:
            note_denial(request, refusal)
            messages.error(request, str(refusal))
            return redirect(back_to)


def note_denial(request: HttpRequest, refusal: DomainError) -> None:
    """Write down that a member of staff was denied something; other refusals are no denials."""
    if refusal.status == PermissionDenied.status:
        record_denial(
            action=refusal.details.get("permission", refusal.code),
            organization=None,
            object_id=object_of(request),
            route=route_of(request),
        )

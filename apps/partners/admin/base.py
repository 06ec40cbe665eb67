"""A page on which staff say what is to be done to a row, and then do it by a service."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from apps.billing.admin.asking import ask
from apps.core import scope
from apps.core.admin import ExportingAdmin
from apps.core.errors import DomainError


class AskingAdmin[M: Model](ExportingAdmin[M]):
    """Rows that only services change; each change is asked for on a page of its own."""

    def row_of(self, request: HttpRequest, object_id: str) -> M:
        """
        Return the row that a page is about.

        :raises Http404: if there is none.
        """
        row: M | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def ask_and_do[F: forms.Form](
        self,
        request: HttpRequest,
        *,
        row: Any,
        form: F,
        frame: dict[str, str],
        do: Callable[[F], str],
        may: bool,
    ) -> HttpResponse:
        """
        Show the form, or do it and lead back to the row, or to the list where there is none yet.

        `frame` has title, text and button; `do` returns what to say of it.

        :raises PermissionDenied: if this member of staff may not.
        """
        if not may:
            raise PermissionDenied
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        back = reverse(f"{name}_change", args=[row.pk]) if row else reverse(f"{name}_changelist")
        page = {**frame, "back_url": back}
        if request.method != "POST" or not form.is_valid():
            return ask(self, request, form, page)
        about = row.organization if row else form.cleaned_data["organization"]
        try:
            with scope.within(about.pk, about.clock_at):
                told = do(form)
        except DomainError as refusal:
            return ask(self, request, form, page, refusal)
        messages.success(request, told)
        return redirect(back)

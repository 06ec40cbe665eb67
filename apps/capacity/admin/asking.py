"""Deeds of the back office that are asked for on a page of their own, with a reason."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.billing.admin.asking import ask
from apps.core.admin import ReadOnlyAdmin
from apps.core.errors import DomainError


class ReasonForm(forms.Form):
    """Why it is done."""

    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Goes into the audit log.",
    )


class Asking:
    """Deeds with a row that are asked for on a page of their own: a part of a ModelAdmin."""

    admin_site: Any
    opts: Any
    get_object: Any

    def may_act(self, request: HttpRequest) -> bool:
        """Tell whether this person has Django's permission to change such rows."""
        return request.user.has_perm(f"capacity.change_{self.opts.model_name}")

    def has_act_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Show the buttons to whoever may press them."""
        return self.may_act(request)

    def deed(
        self,
        request: HttpRequest,
        object_id: str,
        *,
        form_class: type[forms.Form],
        do: Callable[[Any, dict[str, Any]], object],
        effect: str = "",
        **words: str,
    ) -> HttpResponse:
        """
        Ask, saying what the effect is, do it, and lead back; show in words why it was not done.

        :raises PermissionDenied: if he may not.
        :raises Http404: if there is no such row.
        """
        if not self.may_act(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        back = reverse(f"admin:capacity_{self.opts.model_name}_change", args=[row.pk])
        form = form_class(request.POST or None)
        frame = {"back_url": back, "text": f"{row}. {effect}" if effect else str(row), **words}
        if request.method != "POST" or not form.is_valid():
            return ask(self, request, form, frame)
        try:
            do(row, form.cleaned_data)
        except DomainError as refusal:
            return ask(self, request, form, frame, refusal)
        messages.success(request, f"{words['title']}: done.")
        return redirect(back)


class AskingAdmin[M: Model](Asking, ReadOnlyAdmin[M]):
    """Rows that staff only look at, with deeds that are asked for on a page of their own."""

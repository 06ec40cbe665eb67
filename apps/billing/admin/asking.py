"""A page on which staff say what is to be done, and why, before it is done."""

from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.core.errors import DomainError


def ask(
    admin: Any,  # a ModelAdmin, or a part of one
    request: HttpRequest,
    form: BaseForm,
    frame: dict[str, Any],
    refusal: DomainError | None = None,
) -> HttpResponse:
    """
    Show a form with what it would do, or with why nothing was done.

    `frame` has title, text, button, back_url, and maybe events: buttons beside the main one.
    """
    page = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "form": form,
        "refusal": str(refusal) if refusal else "",
        **frame,
    }
    code = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "admin/billing/ask.html", page, status=code)

"""The customer's page of what moved in a former system."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from apps.core import paging
from apps.core.exports import stream_csv
from apps.credits.models import FormerMovement
from apps.credits.selectors import former
from apps.rbac.pages.base import TenantPage

PAGE_SIZE = 25


class Former(TenantPage):
    """History from before, for those who may see everybody's transactions."""

    permission = "credits.view"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of movements, newest first, or all of them as CSV."""
        movements = former.former_movements(self.organization)
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-former-transactions.csv",
                columns=former.COLUMNS,
                rows=former.movement_rows(movements),
            )
        here = reverse("credits:former", args=[slug])
        last_id = FormerMovement.read_id(request.GET.get("after", ""))
        last = movements.filter(pk=last_id).first() if last_id else None
        page, end = paging.page_of(paging.after(movements, last, by="occurred_at"), size=PAGE_SIZE)
        context: dict[str, Any] = {
            "movements": page,
            "export_url": f"{here}?format=csv",
            "next_url": f"{here}?after={end.public_id}" if end else None,
            "first_url": here if last else None,
        }
        return render(request, "credits/former.html", context)

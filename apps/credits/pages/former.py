"""The customer's page of what moved in a former system."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from apps.core.exports import stream_csv
from apps.credits.selectors import former
from apps.rbac.pages.base import TenantPage


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
        found, links = self.listed(movements, here, by="occurred_at")
        return render(request, "credits/former.html", {"movements": found, **links})

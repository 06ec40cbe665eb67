"""What the pages of capacity share: who may look, who may reserve, and the tabs."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from apps.billing.gateway.client import is_configured
from apps.core import paging
from apps.core.models import Row
from apps.rbac.pages.base import TenantPage

PAGE_SIZE = 25


class CapacityPage(TenantPage):
    """
    A page of projects, or of what the organization has of them.

    `tab` is the one that is marked: templates/capacity/section.html has their names.
    """

    permission = "capacity.view"
    permission_to_change = "capacity.reserve"
    tab: ClassVar[str] = ""

    @property
    def can_reserve(self) -> bool:
        """Whether the viewer may reserve, release and cancel."""
        may: bool = self.user.has_perm(self.permission_to_change, self.organization)
        return may

    @property
    def can_pay(self) -> bool:
        """Whether the viewer may pay on Stripe's page; without a key for Stripe nobody can."""
        return self.can_reserve and is_configured()

    def show(self, template: str, page: dict[str, Any], status: int = 200) -> HttpResponse:
        """Draw the page with what each page of capacity shows."""
        shared = {"tab": self.tab, "can_reserve": self.can_reserve}
        return render(self.request, template, {**shared, **page}, status=status)

    def listed[M: Row](
        self, rows: QuerySet[M], here: str, chosen: dict[str, str] | None = None
    ) -> tuple[list[M], dict[str, Any]]:
        """
        Return one page of rows, newest first, and the addresses that a list links to.

        `here` is the address of the list, and `chosen` what its filters have.
        """
        chosen, after = chosen or {}, self.request.GET.get("after", "")
        row_id = rows.model.read_id(after)
        last = rows.filter(pk=row_id).first() if row_id else None
        rows = rows.order_by("-created_at", "-id")
        found, end = paging.page_of(paging.after(rows, last), size=PAGE_SIZE)
        older = urlencode({**chosen, "after": end.public_id}) if end else ""
        return found, {
            "is_filtered": bool(chosen),
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "next_url": f"{here}?{older}" if end else None,
            "first_url": f"{here}?{urlencode(chosen)}" if last else None,
        }

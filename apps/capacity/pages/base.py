"""What the pages of capacity share: who may look, who may reserve, and the tabs."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.shortcuts import render

from apps.billing.gateway.client import is_configured
from apps.rbac.pages.base import TenantPage


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
